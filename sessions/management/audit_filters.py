"""Which entries of the audit are meant: the options of `aegis audit`, and what is read from them."""

import inspect
import re
from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from typing import Annotated, Any, Literal, TypeVar, cast

import typer

from sessions.management import instants
from sessions.management.output import Misused
from streaming.core import audit_chain
from streaming.selectors.audit import Wanted
from streaming.selectors.audit_proof import Anchor

Command = Annotated[str, typer.Option(help="Only this command; session.* for several.")]
Actor = Annotated[str, typer.Option(help="Only of this actor; user:* for several.")]
Transport = Annotated[str, typer.Option(help="Only what came by this transport.")]
Outcome = Annotated[Literal["ok", "refused", "all"], typer.Option(help="Only with this outcome.")]
Code = Annotated[str, typer.Option(help="Only refused with this code.")]
Of = Annotated[str, typer.Option("--session", help="Only of this session, by id or key.")]
Target = Annotated[str, typer.Option(help="Only of what was asked about this.")]
Text = Annotated[str, typer.Option(help="Only with this somewhere in the entry.")]
RequestId = Annotated[str, typer.Option("--request-id", help="Only of this request.")]
Since = Annotated[
    str, typer.Option(metavar="MOMENT", help="Only from then on: -5m, 14:02 or ISO 8601.")
]
Until = Annotated[str, typer.Option(metavar="MOMENT", help="Only before then.")]


# By the names that the interface has for them.
FILTERS: dict[str, Any] = {
    "command": Command,
    "actor": Actor,
    "transport": Transport,
    "outcome": Outcome,
    "code": Code,
    "session": Of,
    "target": Target,
    "request_id": RequestId,
    "since": Since,
    "until": Until,
    "text": Text,
}
F = TypeVar("F", bound=Callable[..., None])


def filtered(*, but: Collection[str] = ()) -> Callable[[F], F]:
    """Give a verb the options of all filters ``but`` these; it gets what they mean as ``wanted``."""
    usual = {name: "all" if name == "outcome" else "" for name in FILTERS if name not in but}

    def make(function: F) -> F:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            said = {name: kwargs.pop(name, value) for name, value in usual.items()}
            function(*args, wanted=wanted(**said), **kwargs)

        kind, signature = inspect.Parameter.KEYWORD_ONLY, inspect.signature(function)
        options = [
            inspect.Parameter(name, kind, default=value, annotation=FILTERS[name])
            for name, value in usual.items()
        ]
        own = [one for one in signature.parameters.values() if one.name != "wanted"]
        first = [one for one in own if one.kind is not kind]
        rest = [one for one in own if one.kind is kind]
        run.__signature__ = signature.replace(parameters=[*first, *options, *rest])  # type: ignore[attr-defined]  # functions have what one gives them
        kept = {name: one for name, one in function.__annotations__.items() if name != "wanted"}
        run.__annotations__ = {**kept, **{name: FILTERS[name] for name in usual}}
        return cast(F, run)

    return make


def wanted(*, outcome: str, since: str = "", until: str = "", **words: str) -> Wanted:
    """
    The entries that are meant.

    :raises Misused: for what is no moment
    """
    return Wanted(
        outcome="" if outcome == "all" else outcome,
        since=_moment("--since", since),
        until=_moment("--until", until),
        **words,
    )


def anchor(text: str) -> Anchor | None:
    """
    What somebody kept of the chain, if they did.

    :raises Misused: for what is no place with its digest
    """
    if not text:
        return None
    place, _, digest = text.partition(":")
    if not re.fullmatch("[0-9]{1,16}", place) or not re.match(audit_chain.DIGEST_FORM, digest):
        raise Misused("--kept: it must be PLACE:DIGEST, as verify prints it.")
    return Anchor(int(place), digest)


def _moment(name: str, text: str) -> datetime | None:
    return instants.read(text, option=name) if text else None
