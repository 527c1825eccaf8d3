"""Programs that launchers may run; only administrators write them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from django.contrib.auth.models import Group
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from components import selectors
from components.api import documents
from components.api.documents import ProgramDocument, ProgramPage
from components.core.launching import Restart
from components.core.programs import BOUNDS, LONGEST_WORD, MOST_WORDS, Draft
from components.models import Program
from components.services import programs
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.selectors import pages

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Word = Annotated[str, Meta(max_length=LONGEST_WORD)]
Argv = Annotated[list[Word], Meta(min_length=1, max_length=MOST_WORDS)]
Variables = dict[str, Word]
Team = Annotated[str, Meta(max_length=150)]


def _within(name: str) -> Any:
    least, most = BOUNDS[name]
    return Meta(ge=least, le=most)


Limit = Annotated[int, _within("restart_limit")]
Backoff = Annotated[float, _within("backoff_seconds")]
MostBackoff = Annotated[float, _within("backoff_most_seconds")]
Settled = Annotated[float, _within("settled_seconds")]
Grace = Annotated[float, _within("stop_grace_seconds")]


class ProgramInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A command for launchers; without a team every team may use it."""

    name: Name
    argv: Argv
    environment: Variables = {}
    directory: Word = ""
    restart: Restart = Restart.ON_FAILURE
    restart_limit: Limit = 5
    backoff_seconds: Backoff = 1.0
    backoff_most_seconds: MostBackoff = 60.0
    settled_seconds: Settled = 60.0
    stop_grace_seconds: Grace = 10.0
    team: Team = ""


class ProgramChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a program that are to change; those left out stay."""

    name: Name | UnsetType = UNSET
    argv: Argv | UnsetType = UNSET
    environment: Variables | UnsetType = UNSET
    directory: Word | UnsetType = UNSET
    restart: Restart | UnsetType = UNSET
    restart_limit: Limit | UnsetType = UNSET
    backoff_seconds: Backoff | UnsetType = UNSET
    backoff_most_seconds: MostBackoff | UnsetType = UNSET
    settled_seconds: Settled | UnsetType = UNSET
    stop_grace_seconds: Grace | UnsetType = UNSET
    team: Team | UnsetType = UNSET


class Programs(Endpoint):
    """The programs that your teams may use."""

    examples: ClassVar[Mapping[str, Any]] = {
        "POST": {"name": "feed", "argv": ["python", "examples/feed.py"], "restart": "on-failure"}
    }

    @operation(
        "programs.list",
        tag="components",
        query=PageQuery,
        fields=ProgramDocument,
        answers={200: ProgramPage},
    )
    def get(self, _request: Request) -> Response:
        """List programs, the newest first."""
        query = self.asked(PageQuery)
        rows = selectors.programs(self.principal).select_related("team")
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        found = [shown(self, one) for one in page.rows]
        return Response(
            {"data": codecs.pick(found, query.fields, ProgramDocument), "next": page.next}
        )

    @operation(
        "programs.define", tag="components", body=ProgramInput, answers={201: ProgramDocument}
    )
    @once
    def post(self, _request: Request) -> Response:
        """Register a program; only an administrator may."""
        values = _given(self.ordered(ProgramInput))
        team = _team(self, values.pop("team"))
        draft = Draft(**values | {"argv": tuple(values["argv"])})
        defined = programs.define(principal=self.principal, draft=draft, team=team)
        return Response(shown(self, defined.program), status=201)


class OneProgram(Endpoint):
    """One program, by name or id."""

    @operation("programs.read", tag="components", answers={200: ProgramDocument})
    def get(self, _request: Request, program: str) -> Response:
        """Read a program."""
        rows = selectors.programs(self.principal).select_related("team")
        return Response(shown(self, rows.named(program)))

    @operation(
        "programs.change", tag="components", body=ProgramChanges, answers={200: ProgramDocument}
    )
    def patch(self, _request: Request, program: str) -> Response:
        """Change a program; processes that run go on as they were started."""
        values = _given(self.ordered(ProgramChanges))
        if "team" in values:
            values["team"] = _team(self, values["team"])
        found = selectors.programs(self.principal).named(program)
        defined = programs.change(principal=self.principal, program=found.pk, changes=values)
        return Response(shown(self, defined.program))

    @operation("programs.remove", tag="components", answers={204: None})
    def delete(self, _request: Request, program: str) -> Response:
        """Forget a program; what runs of it is stopped."""
        found = selectors.programs(self.principal).named(program)
        programs.remove(principal=self.principal, program=found.pk)
        return Response(status=204)


def shown(view: Endpoint, row: Program) -> Any:
    """The document of a program, with the values of its variables for who may write them."""
    is_whole = view.principal.allows(programs.SCOPE)
    return codecs.show(documents.program(row, is_whole=is_whole))


def _given(order: Struct) -> dict[str, Any]:
    values = {name: getattr(order, name) for name in order.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}


def _team(view: Endpoint, name: str) -> Group | None:
    return selectors.team_for_new(view.principal, name) if name else None
