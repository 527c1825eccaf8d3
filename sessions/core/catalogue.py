"""What an entry of the catalogue of agents and a provider of models may say."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from aegis_project.kit.errors import ValidationFailed
from sessions.core import limits, references

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
PROVIDER_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
MODE = re.compile(r"[\w.+*-]+/[\w.+*-]+")
VISIBILITIES = ("public", "internal", "private")
LENGTHS = {"name": 200, "description": 10_000, "instructions": 100_000}
LONGEST_ITEM, MOST_ITEMS = 200, 200


Hosts = Annotated[list[Annotated[str, Meta(max_length=253)]], Meta(max_length=100)]
Patterns = Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=100)]


class Settings(Struct, forbid_unknown_fields=True):
    """
    What an agent's settings may say: to its model, its tools, and a script.

    ``http_hosts`` are the hosts that it may fetch from beside those of the installation,
    ``topics`` the patterns of the topics that it may read.
    """

    temperature: Annotated[float, Meta(ge=0, le=2)] | UnsetType = UNSET
    top_p: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    stop_sequences: Annotated[list[str], Meta(max_length=16)] | UnsetType = UNSET
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | UnsetType = UNSET
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    thinking: bool | Literal["minimal", "low", "medium", "high"] | UnsetType = UNSET
    max_output_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    http_hosts: Hosts | UnsetType = UNSET
    topics: Patterns | UnsetType = UNSET
    script: str | list[dict[str, Any]] | UnsetType = UNSET
    pause_seconds: Annotated[float, Meta(ge=0, le=60)] | UnsetType = UNSET


MODEL_SETTINGS = frozenset(Settings.__struct_fields__) - {
    "max_output_tokens",
    "http_hosts",
    "topics",
    "script",
    "pause_seconds",
}
"""Those that a provider is told under the same name."""


@dataclass(frozen=True, slots=True)
class AgentDraft:
    """What may be said of an agent; ``policy`` is the slug of one, or empty for none."""

    slug: str
    name: str
    description: str = ""
    skills: Sequence[Mapping[str, Any]] = ()
    input_modes: Sequence[str] = ("text/plain",)
    output_modes: Sequence[str] = ("text/plain",)
    model: str = references.DEFAULT
    instructions: str = ""
    tools: Sequence[str] = ()
    policy: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    visibility: str = "public"
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class ProviderDraft:
    """What may be said of a provider; its ``secret`` is sealed and never said again."""

    slug: str
    kind: str = "openai"
    base_url: str = ""
    api_version: str = ""
    secret: str = field(default="", repr=False)


def check_agent(values: Mapping[str, Any]) -> None:
    """
    Go on only if these fields of an :class:`AgentDraft`, all or some, can be.

    :raises ValidationFailed: naming the field
    """
    for name, value in values.items():
        if name in LENGTHS:
            _check_text(name, value)
        elif name in AGENT_CHECKS:
            AGENT_CHECKS[name](value)


def check_provider(values: Mapping[str, Any]) -> None:
    """
    Go on only if these fields of a :class:`ProviderDraft`, all or some, can be.

    :raises ValidationFailed: naming the field
    """
    for name, value in values.items():
        if name in PROVIDER_CHECKS:
            PROVIDER_CHECKS[name](value)


def _check_slug(value: str) -> None:
    _require(SLUG.fullmatch(value), "slug", "A slug has 1 to 100 letters, digits, dashes and _.")


def _check_text(name: str, value: str) -> None:
    is_sound = len(value) <= LENGTHS[name] and "\x00" not in value
    _require(is_sound, name, f"{name} has at most {LENGTHS[name]} characters and no NUL.")
    _require(value.strip() or name != "name", name, "An agent has a name.")


def _check_model(value: str) -> None:
    if value != references.DEFAULT:
        references.read(value)


def _check_visibility(value: str) -> None:
    _require(value in VISIBILITIES, "visibility", f"It is one of {', '.join(VISIBILITIES)}.")


def settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """
    What stands of :class:`Settings` among others; runs bring theirs, which nobody checked before.

    :raises ValidationFailed: for a value that cannot be
    """
    found = {name: given[name] for name in given.keys() & set(Settings.__struct_fields__)}
    _check_settings(found)
    return found


def _check_settings(value: Mapping[str, Any]) -> None:
    try:
        msgspec.convert(value, Settings)
    except msgspec.ValidationError as error:
        raise ValidationFailed(f"The settings cannot be: {error}.", field="settings") from None


def _check_items(name: str) -> Callable[[Sequence[str]], None]:
    def check(value: Sequence[str]) -> None:
        is_short = all(0 < len(one) <= LONGEST_ITEM and "\x00" not in one for one in value)
        _require(
            is_short and len(value) <= MOST_ITEMS,
            name,
            f"{name} has at most {MOST_ITEMS} texts of 1 to {LONGEST_ITEM} characters.",
        )
        if name != "tools":
            _require(all(map(MODE.fullmatch, value)), name, f"{name} are media types.")

    return check


def _check_provider_slug(value: str) -> None:
    is_free = value not in references.RESERVED - set(references.KINDS)
    _require(
        is_free and PROVIDER_SLUG.fullmatch(value),
        "slug",
        "A slug has 1 to 50 small letters, digits, dashes and _, and is neither scripted nor default.",
    )


def _check_kind(value: str) -> None:
    _require(value in references.KINDS, "kind", f"It is one of {', '.join(references.KINDS)}.")


def _check_base_url(value: str) -> None:
    check_address(value, field="base_url")


def check_address(value: str, *, field: str) -> None:
    """
    Go on only with an address of the web that holds no secret, or with none.

    :raises ValidationFailed: otherwise
    """
    if not value:
        return
    try:
        parts = urlsplit(value)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_bare = not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        is_sound = is_bare = False
    is_plain = value.isascii() and value.isprintable() and " " not in value and len(value) <= 500
    _require(
        is_sound and is_bare and is_plain,
        field,
        "An address begins with http:// or https://, and holds no name, password or query.",
    )


def _check_api_version(value: str) -> None:
    is_sound = re.fullmatch(r"[\w.-]{0,32}", value)
    _require(is_sound, "api_version", "A version has at most 32 letters, digits, dots and dashes.")


def _check_secret(value: str) -> None:
    is_sound = len(value) <= 4096 and value.isascii() and (not value or value.isprintable())
    _require(is_sound, "secret", "A key has at most 4096 printable characters of ASCII.")


def _require(holds: object, name: str, message: str) -> None:
    if not holds:
        raise ValidationFailed(message, field=name)


AGENT_CHECKS: dict[str, Callable[[Any], object]] = {
    "slug": _check_slug,
    "model": _check_model,
    "visibility": _check_visibility,
    "settings": _check_settings,
    "limits": limits.check,
    "tools": _check_items("tools"),
    "input_modes": _check_items("input_modes"),
    "output_modes": _check_items("output_modes"),
}
PROVIDER_CHECKS: dict[str, Callable[[Any], None]] = {
    "slug": _check_provider_slug,
    "kind": _check_kind,
    "base_url": _check_base_url,
    "api_version": _check_api_version,
    "secret": _check_secret,
}
