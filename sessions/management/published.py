"""What only the command line says: the documents that no other interface has."""

from typing import Any

from msgspec import Struct

from components.api.documents import ComponentDocument
from sessions.api.documents import SessionDocument
from sessions.api.template_documents import TemplateDocument
from sessions.api.tool_documents import ArtifactDocument
from sessions.core.lifecycle import State
from streaming.api.codecs import Timestamp
from streaming.api.topic_documents import RecordDocument, SubscriberDocument, TopicDocument


class CommandDocument(Struct, kw_only=True):
    """A command, and the name of the schema of what it prints with ``--json``."""

    command: str
    schema: str
    is_stream: bool


class ErrorDocument(Struct, kw_only=True):
    """Why something was refused; what `details` holds depends on `code`."""

    code: str
    message: str
    details: dict[str, Any]


class StateDocument(SessionDocument, kw_only=True):
    """A session with its components."""

    components: list[ComponentDocument]


class PlannedDocument(SessionDocument, kw_only=True):
    """A session, and what a command would do to it."""

    would: str


class SessionTagsDocument(Struct, kw_only=True):
    """The tags that a session carries."""

    session: str
    tags: list[str]


class ReadTopicDocument(TopicDocument, kw_only=True):
    """A topic, and who reads it."""

    readers: list[SubscriberDocument]


class TailedDocument(RecordDocument, kw_only=True):
    """A record with its topic, and the session as it was named, or its id."""

    topic: str
    session: str


class HostedDocument(Struct, kw_only=True):
    """A component that was run at the command line, until its session let it go."""

    program: str
    session: str


class LoadDocument(Struct, kw_only=True):
    """
    What a load test measured: lags in seconds, null where nothing came; which limits were missed.

    ``missing`` of what should have been delivered was not, within the time there was.
    """

    sessions: int
    components: int
    rate: float
    seconds: float
    sent: int
    delivered: int
    missing: int
    lag_p50: float | None
    lag_p95: float | None
    lag_p99: float | None
    lag_max: float | None
    missed: list[str]


class CapsuleDocument(Struct, kw_only=True):
    """A session that was written into a file: up to which event, and the digest of it."""

    session: str
    file: str
    digest: str
    head: int
    size: int


class BackupDocument(Struct, kw_only=True):
    """An instance that was written into a file of ``size`` bytes."""

    file: str
    digest: str
    size: int
    files: int


class RestoredDocument(Struct, kw_only=True):
    """An instance made of a backup; whether its secrets can be read with the key that is set."""

    digest: str
    rows: int
    files: int
    unseals: bool


class PurgedDocument(Struct, kw_only=True):
    """A session that goes, and how much of each kind goes with it."""

    session: str
    key: str
    state: State
    stopped_at: Timestamp | None
    events: int
    records: int
    messages: int
    files: int
    bytes: int


class ResealedDocument(Struct, kw_only=True):
    """How many secrets there are, and were sealed anew; those that no key can read by name."""

    found: int
    resealed: int
    unreadable: list[str]
    dry_run: bool


class MadeDocument(Struct, kw_only=True):
    """A thing that the demo made."""

    kind: str
    name: str


class StandingDocument(Struct, kw_only=True):
    """A user with their roles and teams."""

    user: str
    roles: list[str]
    teams: list[str]


class RecipeDocument(TemplateDocument, kw_only=True):
    """A template with the recipe of one version."""

    recipe: dict[str, Any]


class ReadDocument(ArtifactDocument, kw_only=True):
    """A file of a session, and where it was written to."""

    file: str


class PathDocument(Struct, kw_only=True):
    """The path of a link to a file, on any server of this instance."""

    path: str
    expires_at: Timestamp


class WithdrawnDocument(ArtifactDocument, kw_only=True):
    """A file of a session whose links are worth nothing any more."""

    withdrawn: bool
