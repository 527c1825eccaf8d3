"""Entries of the audit and the verdict on its chain, as documents."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit.errors import ValidationFailed
from streaming.api.codecs import Timestamp, in_utc
from streaming.core.audit_chain import DIGEST_FORM, Fault
from streaming.models import AuditEntry
from streaming.selectors.audit import Wanted
from streaming.selectors.audit_proof import Verdict

Pattern = Annotated[
    str, Meta(max_length=200, description="A name, or the beginning of names and a `*`.")
]
Digest = Annotated[str, Meta(pattern=rf"(?:{DIGEST_FORM})|^$")]
Place = Annotated[int, Meta(ge=0, le=2**53)]


class AuditDocument(Struct, kw_only=True):
    """
    One command and its outcome: who asked by which transport, and what it came to.

    `place`, `previous` and `digest` are its place in the hash chain, a second after it was written.
    """

    id: int
    at: Timestamp
    command: str
    outcome: Literal["ok", "refused"]
    code: str
    actor: str
    principal_id: str
    transport: str
    request_id: str
    session: UUID | None
    session_key: str
    target: str
    detail: dict[str, Any]
    place: int | None
    previous: str
    digest: str


class AuditPage(Struct, kw_only=True):
    """Entries, and the cursor of the page that follows."""

    data: list[AuditDocument]
    next: str


class ChainFaultDocument(Struct, kw_only=True):
    """
    The first thing that is wrong in the chain.

    `kind` is changed, unlinked (does not follow on the one before), missing, cut (the end is gone)
    or inserted.
    """

    kind: Literal["changed", "unlinked", "missing", "cut", "inserted"]
    place: int
    entry: int | None
    message: str


class ChainVerdictDocument(Struct, kw_only=True):
    """
    What a walk along the chain came to.

    `place` and `digest` are of the last entry found right: kept elsewhere, they prove the chain
    later. `has_more`: it ended at its limit; go on with `after` = `place`.
    """

    is_whole: bool
    fault: ChainFaultDocument | None
    checked: int
    unsealed: int
    place: int
    digest: str
    has_more: bool
    sentence: str


class AuditFilter(Struct, kw_only=True):
    """Which entries."""

    command: Pattern = ""
    actor: Pattern = ""
    transport: Annotated[str, Meta(max_length=32)] = ""
    outcome: Literal["ok", "refused", ""] = ""
    code: Annotated[str, Meta(max_length=40)] = ""
    session: Annotated[str, Meta(max_length=128, description="Its id or key.")] = ""
    target: Annotated[str, Meta(max_length=200)] = ""
    request_id: Annotated[str, Meta(max_length=64)] = ""
    since: Timestamp | None = None
    until: Timestamp | None = None
    text: Annotated[
        str, Meta(max_length=200, pattern="^[^\\x00]*$", description="Somewhere in the entry.")
    ] = ""

    def wanted(self) -> Wanted:
        """
        The same for the selector.

        :raises ValidationFailed: for a moment that not every time zone can express
        """
        names = ("command", "actor", "transport", "outcome", "code")
        more = ("session", "target", "request_id", "text")
        return Wanted(
            since=_moment(self.since),
            until=_moment(self.until),
            **{name: getattr(self, name) for name in (*names, *more)},
        )


def _moment(at: datetime | None) -> datetime | None:
    try:
        return None if at is None else in_utc(at)
    except ValueError as error:
        raise ValidationFailed(f"{error}.", fields=["since", "until"]) from None


def document(row: AuditEntry) -> AuditDocument:
    """The document of an entry."""
    names = ("id", "at", "command", "outcome", "code", "actor", "principal_id", "transport")
    more = ("request_id", "target", "detail", "place", "previous", "digest")
    return AuditDocument(
        session=row.session_id,
        session_key=row.session.key if row.session else "",
        **{name: getattr(row, name) for name in (*names, *more)},
    )


def line(row: AuditEntry) -> dict[str, Any]:
    """The same for a file: JSON values, moments as text."""
    found: dict[str, Any] = msgspec.to_builtins(document(row))
    return found


def verdict(found: Verdict) -> ChainVerdictDocument:
    """The document of a verdict."""
    return ChainVerdictDocument(
        is_whole=found.fault is None and not found.has_more,
        fault=None if found.fault is None else _fault(found.fault),
        checked=found.checked,
        unsealed=found.unsealed,
        place=found.place,
        digest=found.digest,
        has_more=found.has_more,
        sentence=found.sentence,
    )


def _fault(found: Fault) -> ChainFaultDocument:
    return ChainFaultDocument(
        kind=found.kind, place=found.place, entry=found.entry, message=found.message
    )
