"""Checkpoints as the command line shows them."""

from sessions.api import checkpoint_documents as documents
from sessions.management import far, output
from sessions.management.far import Columns, Document
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.models import Checkpoint
from streaming.api import codecs

SHAPE: Shape[Checkpoint] = Shape(
    noun="checkpoint",
    document=lambda row: codecs.show(documents.summary(row)),
    name="id",
    columns={
        "CHECKPOINT": lambda row: str(row["id"]),
        "SEQ": lambda row: str(row["seq"]),
        "TAKEN": lambda row: row["moment"] or row["cause"],
        "LABEL": lambda row: row["label"],
        "STATE": lambda row: output.state(row["state"]),
        "BYTES": lambda row: str(row["size"]),
        "AGE": lambda row: far.moment(row["created_at"]),
    },
    sentence=lambda row: (
        f"{row['id']}  position {row['seq']}  {row['label'] or row['moment']}".rstrip()
    ),
)


def show_difference(how: How, found: Document) -> None:
    """What of a session differs between two checkpoints, and what happened between them."""
    if how.is_json or how.is_quiet:
        output.show_one(how, "checkpoint.diff", found, identity=str(found["seq"]), sentence="")
        return
    kinds = ("memory", "participants", "positions")
    changed = [{**one, "kind": kind} for kind in kinds for one in found[kind]]
    output.tabulate(far.table(CHANGED, changed))
    events = ", ".join(f"{count} {type_}" for type_, count in found["happened"].items())
    output.plain(f"positions {found['seq']} to {found['to']}: {events or 'no event'}")


CHANGED: Columns = {
    "WHAT": lambda row: row["kind"],
    "NAME": lambda row: row["name"],
    "BEFORE": lambda row: output.dump(row["before"]),
    "AFTER": lambda row: output.dump(row["after"]),
}
