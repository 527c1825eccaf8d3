"""The frames that clients send on the data socket, decoded once and strictly."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from aegis_project.kit import strict
from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from streaming.core import position, resume, soundness
from streaming.core.errors import ProtocolError
from streaming.core.messages import (
    LATEST,
    POLICIES,
    Commit,
    Hold,
    Id,
    Inbound,
    Note,
    Producer,
    Publish,
    Request,
    Subscribe,
    Unknown,
    Unsubscribe,
)
from streaming.core.position import MAX_SEQ
from streaming.core.resume import Start

MAX_BYTES = 1_048_576
MAX_REQUESTS = 1000
MAX_ID = 64
MAX_TOPIC = 255
PRODUCER = re.compile(r"[A-Za-z0-9_.:-]{0,64}")
PUBLISH = "PUBLISH"

Frame = dict[str, Any]


# Decoding


class _Publish(msgspec.Struct, gc=False):
    COMMAND: str = ""
    command: str = ""
    id: int | str | None = None
    topic: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    msgs: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    producer: str = ""
    producer_epoch: int = 0
    n: int | None = None


_decoder = msgspec.json.Decoder(_Publish)


def decode(text: str | bytes | None) -> Inbound:
    """
    Read one frame after the hello. The data of a PUBLISH is kept as it stands.

    :raises PayloadTooLarge: above 1 MiB
    :raises ProtocolError: for a binary frame
    :raises ValidationFailed: for malformed JSON or a field of the wrong form
    """
    raw = encoded(text)
    try:
        found = _decoder.decode(raw)
    except msgspec.ValidationError:
        return _read(raw)
    except (msgspec.DecodeError, RecursionError):
        raise ValidationFailed("The JSON is malformed.") from None
    if (found.COMMAND or found.command).upper() != PUBLISH:
        return _read(raw)
    soundness.check(raw, max_bytes=MAX_BYTES)
    return _publish(found)


def hello(text: str | bytes | None) -> Frame:
    """
    Read the first frame; whether its token opens anything is not decided here.

    :raises PayloadTooLarge: above 1 MiB
    :raises ProtocolError: for a binary frame, or one without ``session_token``
    :raises ValidationFailed: for malformed JSON
    """
    frame = _object(encoded(text))
    if not isinstance(frame.get("session_token"), str):
        raise ProtocolError("The first frame is a hello with a session_token.")
    if not isinstance(frame.get("component_id"), str | None):
        raise ProtocolError("The component_id of a hello is text.")
    return frame


def encoded(text: str | bytes | None) -> bytes:
    """Turn the text of a frame into UTF-8, within its limit."""
    if not isinstance(text, str):
        raise ProtocolError("Frames of the data socket are text.")
    if len(text) > MAX_BYTES:
        raise PayloadTooLarge(max_bytes=MAX_BYTES)
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise ValidationFailed("The JSON has a lone surrogate.") from None
    if len(raw) > MAX_BYTES:
        raise PayloadTooLarge(max_bytes=MAX_BYTES)
    return raw


def _publish(found: _Publish) -> Publish:
    _check_id(found.id)
    if not found.topic or len(found.topic) > MAX_TOPIC:
        raise ValidationFailed("PUBLISH names one topic.", field="topic")
    if (found.data is msgspec.UNSET) is (found.msgs is msgspec.UNSET):
        raise ValidationFailed("PUBLISH has either data or msgs.", field="data")
    producer = _producer(found)
    if isinstance(found.data, msgspec.Raw):
        return Publish(found.id, found.topic, [bytes(found.data)], producer)
    items = [bytes(item) for item in found.msgs or ()]
    if not items:
        raise ValidationFailed("msgs is a list of at least one value.", field="msgs")
    return Publish(found.id, found.topic, items, producer)


def _producer(found: _Publish) -> Producer | None:
    if found.n is None:
        if found.producer or found.producer_epoch:
            raise ValidationFailed("A producer counts what it publishes by n.", field="n")
        return None
    if not PRODUCER.fullmatch(found.producer):
        raise ValidationFailed("producer is at most 64 letters, digits and _.:-", field="producer")
    _seq(found.n, field="n")
    _seq(found.producer_epoch, field="producer_epoch")
    return found.producer, found.producer_epoch, found.n


# The other frames, which are rare


def _object(raw: bytes) -> Frame:
    frame = strict.decode(raw, max_bytes=MAX_BYTES)
    if not isinstance(frame, dict):
        raise ValidationFailed("A frame is one JSON object.")
    return frame


def _read(raw: bytes) -> Inbound:
    frame = _object(raw)
    command = command_of(frame)
    if command == PUBLISH:
        return _publish_of(raw)
    reader = READERS.get(command)
    return reader(frame) if reader else Unknown(command, _id(frame))


def _publish_of(raw: bytes) -> Publish:
    # The key is written in another case, or a field has the wrong type.
    try:
        return _publish(_decoder.decode(raw))
    except msgspec.ValidationError as error:
        raise ValidationFailed("A field of PUBLISH is wrong.", reason=str(error)[:200]) from None


def command_of(frame: Frame) -> str:
    """
    Find the value of COMMAND in capitals, whatever the case of the key; empty if there is none.

    :raises ValidationFailed: when it is no text
    """
    value = frame.get("COMMAND")
    if value is None:
        value = next((frame[key] for key in frame if key.upper() == "COMMAND"), "")
    if not isinstance(value, str):
        raise ValidationFailed("COMMAND must be text.", field="COMMAND")
    return value.upper()


def _subscribe(frame: Frame) -> Subscribe:
    topics = frame.get("topics")
    if not isinstance(topics, list) or not 0 < len(topics) <= MAX_REQUESTS:
        raise ValidationFailed(f"topics is a list of 1 to {MAX_REQUESTS}.", field="topics")
    return Subscribe(_id(frame), tuple(_request(topic) for topic in topics))


def _request(value: Any) -> Request:
    if isinstance(value, str):
        return Request(_topic(value))
    if not isinstance(value, dict):
        raise ValidationFailed("A topic is a name or an object.", field="topics")
    key, policy, cursor = value.get("key"), value.get("policy"), value.get("cursor")
    if not isinstance(key, str | None):
        raise ValidationFailed("key is the name of a member.", field="key")
    if policy is not None and policy not in POLICIES:
        raise ValidationFailed("policy is drop, conflate, block or close.", field="policy")
    return Request(
        topic=_topic(value.get("topic")),
        begin=_begin(value.get("from")),
        cursor=None if cursor is None else position.read(cursor),
        policy=policy,
        key=key,
    )


def _begin(value: Any) -> Start:
    if value is None:
        return LATEST
    if not isinstance(value, str):
        raise ValidationFailed("from is text.", field="from")
    return resume.parse_start(value)


def _unsubscribe(frame: Frame) -> Unsubscribe:
    topics = frame.get("topics", [frame.get("topic")])
    if not isinstance(topics, list) or len(topics) > MAX_REQUESTS:
        raise ValidationFailed(f"topics is a list of at most {MAX_REQUESTS}.", field="topics")
    return Unsubscribe(_id(frame), tuple(_topic(topic) for topic in topics))


def _commit(frame: Frame) -> Commit:
    pos = frame.get("pos")
    if not isinstance(pos, dict):
        raise ValidationFailed("pos is an object of topic or alias and seq.", field="pos")
    # A client may send back a whole entry of POS: the seq and its ck.
    points = {
        name: value[0] if isinstance(value, list) and value else value
        for name, value in pos.items()
    }
    return Commit({name: _seq(value, field="pos") for name, value in points.items()})


def _seq(value: Any, *, field: str) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SEQ:
        raise ValidationFailed("A number is a whole one from 0 to 2^53 - 1.", field=field)
    return value


def _topic(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TOPIC:
        raise ValidationFailed("A topic is text.", field="topic")
    return value


def _id(frame: Frame) -> Id:
    value = frame.get("id")
    if type(value) not in {int, str, type(None)}:
        raise ValidationFailed("id is a whole number or text.", field="id")
    _check_id(value)
    return value


def _check_id(value: Id) -> None:
    if isinstance(value, str) and len(value) > MAX_ID:
        raise ValidationFailed(f"id has at most {MAX_ID} characters.", field="id")
    if isinstance(value, int) and abs(value) > MAX_SEQ:
        raise ValidationFailed("id is at most 2^53 - 1.", field="id")


READERS: dict[str, Callable[[Frame], Inbound]] = {
    "SUBSCRIBE": _subscribe,
    "UNSUBSCRIBE": _unsubscribe,
    "COMMIT": _commit,
    "PAUSE": lambda frame: Hold(_topic(frame.get("topic")), is_paused=True),
    "RESUME": lambda frame: Hold(_topic(frame.get("topic")), is_paused=False),
    "HEARTBEAT": lambda _: Note("HEARTBEAT"),
    "ERROR": lambda _: Note("ERROR"),
}
