"""Checkpoints as the command line shows them."""

from collections.abc import Sequence

from sessions.api import checkpoint_documents as documents
from sessions.core.checkpoints import Change
from sessions.management import output
from sessions.management.listing import Shape
from sessions.models import Checkpoint
from streaming.api import codecs


def compared(changed: Sequence[tuple[str, Change]]) -> dict[str, list[str]]:
    """What of a session differs, with its kind."""
    return {
        "WHAT": [kind for kind, _ in changed],
        "NAME": [one.name for _, one in changed],
        "BEFORE": [output.dump(one.before) for _, one in changed],
        "AFTER": [output.dump(one.after) for _, one in changed],
    }


def table(rows: Sequence[Checkpoint]) -> dict[str, list[str]]:
    """The columns of a list of checkpoints."""
    return {
        "CHECKPOINT": [str(row.pk) for row in rows],
        "SEQ": [str(row.seq) for row in rows],
        "TAKEN": [row.moment or row.cause for row in rows],
        "LABEL": [row.label for row in rows],
        "STATE": [output.state(row.state) for row in rows],
        "BYTES": [str(row.size) for row in rows],
        "AGE": [output.age(row.created_at) for row in rows],
    }


SHAPE: Shape[Checkpoint] = Shape(
    noun="checkpoint",
    document=lambda row: codecs.show(documents.summary(row)),
    identity=lambda row: str(row.pk),
    table=table,
    sentence=lambda row: f"{row.pk}  position {row.seq}  {row.label or row.moment}".rstrip(),
)
