"""What the commands of seed 000 are about."""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from aegis_project.kit.errors import ValidationFailed
from sessions.api.inputs import Components, Name
from streaming.api import codecs
from streaming.sources.clock_range import Instant

T = TypeVar("T", bound=Struct)


class Create(Struct, kw_only=True):
    """A session to make; `config` says where a historical one has its records from."""

    name: Name = ""
    mode: str = "realtime"
    config: dict[str, Any] = {}
    paths: list[str] = []

    def __post_init__(self) -> None:
        codecs.check_kept(self.config)


class One(Struct, kw_only=True):
    """A session by id, unique id prefix, or name."""

    session_id: str = ""


class Restart(One, kw_only=True, rename={"from_": "from"}):
    """A session to begin anew, over another range if one is given; 0 leaves an end open."""

    from_: Instant | None = None
    to: Instant | None = None


class Attach(One, kw_only=True):
    """Components to declare; `paths` are names of programs."""

    components: Components = []
    paths: list[str] = []


class Some(Struct, kw_only=True):
    """Which sessions to list."""

    include_closed: bool = False


class OneComponent(One, kw_only=True):
    """A component by id, unique id prefix, or name; none where there is only one."""

    component_id: str = ""


def read(payload: dict[str, Any], kind: type[T], *, required: str = "") -> T:
    """
    The payload as ``kind``; members that it does not know are left out, as seed 000 does.

    :raises ValidationFailed: for a wrong type, or without what is ``required``
    """
    known = {name: value for name, value in payload.items() if value is not None}
    try:
        found = msgspec.convert(known, kind)
    except msgspec.ValidationError as error:
        raise ValidationFailed(str(error).replace("`$.", "`")) from None
    if required and not getattr(found, required):
        raise ValidationFailed(f"missing required field: {required}")
    return found
