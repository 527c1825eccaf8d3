"""Two sessions side by side: what was done in each, and where they part."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.errors import ValidationFailed
from sessions.api.template_documents import TemplateDifferenceDocument, difference
from sessions.core.sidebyside import Pair, Step
from sessions.selectors import comparing, sessions
from sessions.selectors.comparing import Comparison
from streaming.api import codecs
from streaming.api.base import Endpoint
from streaming.api.schema import operation


class CompareQuery(Struct, kw_only=True, rename={"with_": "with"}):
    """With which session (the one that it was made of, without one), and which of the lines."""

    with_: Annotated[str, Meta(max_length=200)] = ""
    offset: Annotated[int, Meta(ge=0, le=100_000)] = 0
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class StepDocument(Struct, kw_only=True):
    """Something that was done: an event without what is another in every session."""

    seq: int
    type: str
    data: dict[str, Any]


class PairDocument(Struct, kw_only=True):
    """A line of both; `differences` are those of two steps of one type."""

    verdict: Literal["same", "differs", "left", "right"]
    left: StepDocument | None
    right: StepDocument | None
    differences: list[TemplateDifferenceDocument]


class ComparisonDocument(Struct, kw_only=True):
    """
    Two sessions, the original on the left where one was made of the other.

    `common` lines are the same from the beginning on, so that the first difference stands at that
    offset. `is_cut` says that one has more steps than are compared.
    """

    left: str
    right: str
    common: int
    count: int
    is_same: bool
    is_cut: bool
    data: list[PairDocument]
    has_more: bool


def document(found: Comparison, *, offset: int, limit: int) -> ComparisonDocument:
    """Some lines of a comparison as the canonical interface shows it."""
    shown = found.pairs[offset : offset + limit]
    return ComparisonDocument(
        left=found.left.session.key,
        right=found.right.session.key,
        common=found.common,
        count=len(found.pairs),
        is_same=found.is_same,
        is_cut=found.left.is_cut or found.right.is_cut,
        data=[_pair(one) for one in shown],
        has_more=offset + limit < len(found.pairs),
    )


def _pair(pair: Pair) -> PairDocument:
    return PairDocument(
        verdict=pair.verdict,
        left=_step(pair.left),
        right=_step(pair.right),
        differences=[difference(one) for one in pair.differences()],
    )


def _step(step: Step | None) -> StepDocument | None:
    return step and StepDocument(seq=step.seq, type=step.type, data=dict(step.data))


class Compare(Endpoint):
    """A session beside another."""

    @operation(
        "sessions.compare",
        tag="recovery",
        query=CompareQuery,
        answers={200: ComparisonDocument},
    )
    def get(self, _request: Request, session: str) -> Response:
        """Say what was done in two sessions, line by line, and where they part."""
        query = self.asked(CompareQuery)
        row = sessions.resolve(self.principal, session)
        other = comparing.other_of(self.principal, row, query.with_)
        if other is None:
            raise ValidationFailed("It was made of no other: say which one.", field="with")
        found = comparing.compare(self.principal, row, other)
        return Response(codecs.show(document(found, offset=query.offset, limit=query.limit)))
