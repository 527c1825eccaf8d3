"""How much the tapes take, from what is known of them anyway."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Sum

from streaming.models import Log, Record, Segment

# What the database keeps of a record beside its body: its row, its key and its index.
BESIDE = 150


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes that tapes take; ``is_measured`` where the database itself says how much that is."""

    bytes: int
    records: int
    is_measured: bool


def size() -> Size:
    """
    What all tapes take together, without looking at any record.

    PostgreSQL knows how large its tables are. On SQLite it is what was counted of bodies while
    they came, and what a row takes beside; records of the last ten minutes may lack.
    """
    ends = Log.objects.filter(recorded=True, head__gt=0)
    records = ends.aggregate(n=Sum(F("head") - F("start") + 1))["n"] or 0
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_total_relation_size(%s)", [Record._meta.db_table])
            return Size(cursor.fetchone()[0], records, is_measured=True)
    bodies = Segment.objects.aggregate(n=Sum("bytes"))["n"] or 0
    return Size(bodies + records * BESIDE, records, is_measured=False)


def largest() -> tuple[str, int] | None:
    """The session whose tapes take most, by its key, and the bytes of its bodies."""
    rows = Segment.objects.values_list("log__session__key").annotate(size=Sum("bytes"))
    return rows.order_by("-size").first()
