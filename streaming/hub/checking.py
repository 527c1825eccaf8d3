"""What others publish, checked by the schema of its topic before it spends a number."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from aegis_project.kit.errors import ValidationFailed
from streaming.core import schemas
from streaming.core.position import Position
from streaming.core.rules import Rule
from streaming.core.schemas import SchemaRefused
from streaming.engines.base import Key, Producer, Record
from streaming.hub.topics import Topics

QUARANTINE = "dlq."


class Offered(NamedTuple):
    """
    Where records went: ``size`` of them into ``topic``, the last at ``position``.

    ``quarantined`` counts those that went into ``dlq.<topic>``; when all did, that is the topic.
    """

    topic: str
    position: Position
    size: int
    quarantined: int = 0


async def offer(
    hub: Topics, key: Key, records: Sequence[Record], producer: Producer | None = None, *, by: str
) -> Offered:
    """
    Publish for somebody outside (``by``, an id), as the rule of the topic has it.

    Records that break its schema are refused, all that came together, or put into quarantine.

    :raises ValidationFailed: for records that break the schema, saying which is the first
    :raises AegisError: see :meth:`Topics.publish`
    """
    rules = await hub.rules.of(key[0])
    rule = rules.of(key[1])
    faults = {} if rule.schema is None else _faults(rule, records)
    if not faults:
        return Offered(key[1], await hub.publish(key, records, producer), len(records))
    if rule.on_invalid == "refuse":
        first = min(faults)
        told = {"record": first, "reason": faults[first]}
        raise ValidationFailed("The data break the schema of the topic.", **told)
    author = producer[0] if producer else by
    return await _split(hub, key, records, producer, faults=faults, author=author)


def _faults(rule: Rule, records: Sequence[Record]) -> dict[int, str]:
    try:
        schema = schemas.compiled(rule.schema)
    except SchemaRefused as refusal:
        # It was checked when it was written; another version may have written it.
        reason = f"The schema of the topic cannot be used: {refusal}."
        raise ValidationFailed(reason) from None
    found = {place: schema.fault(data) for place, (_, data) in enumerate(records)}
    return {place: reason for place, reason in found.items() if reason is not None}


async def _split(
    hub: Topics,
    key: Key,
    records: Sequence[Record],
    producer: Producer | None,
    *,
    faults: dict[int, str],
    author: str,
) -> Offered:
    session_id, topic = key
    aside = (session_id, QUARANTINE + topic)
    bad = [
        (ts, _note(topic, faults[place], data, author))
        for place, (ts, data) in enumerate(records)
        if place in faults
    ]
    good = [record for place, record in enumerate(records) if place not in faults]
    # What is good first: it has its place in the topic before anything has to be waited for.
    # What comes again after a cut is found in both by the same count.
    last = await hub.publish(key, good, producer) if good else None
    aside_last = await hub.publish(aside, bad, producer)
    if last is None:
        return Offered(aside[1], aside_last, len(bad), len(bad))
    return Offered(topic, last, len(good), len(bad))


def _note(topic: str, reason: str, data: bytes, author: str) -> bytes:
    note = {"topic": topic, "error": reason, "data": msgspec.Raw(data), "producer": author}
    return msgspec.json.encode(note)
