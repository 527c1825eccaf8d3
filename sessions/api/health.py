"""What the checks of this installation find, and leaving it alone, over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated

from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.health import Finding, State
from components.core.scopes import METRICS
from sessions import checks  # noqa: F401 -- it registers its checks
from sessions.core import snoozes as rules
from sessions.selectors import snoozes
from sessions.services import mending
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation

LONGEST = int(rules.LONGEST.total_seconds())

Item = Annotated[str, Meta(min_length=1, max_length=100, pattern="^[^\\x00]*$")]


class SnoozedDocument(Struct, kw_only=True):
    """Who leaves it alone, why, and until when."""

    by: str
    reason: str
    until: Timestamp


class FindingDocument(Struct, kw_only=True):
    """What one check found; `fix` is what to do, empty if there is nothing."""

    item: str
    state: State
    said: str
    fix: str
    snoozed: SnoozedDocument | None


class FindingList(Struct, kw_only=True):
    """What all checks found, in their order; one check may find several things."""

    data: list[FindingDocument]


class WakeInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a check finds in this state."""

    item: Item
    state: State


class SnoozeInput(WakeInput, kw_only=True, forbid_unknown_fields=True):
    """What a check finds in this state, for how long and why it is left alone."""

    seconds: Annotated[int, Meta(ge=1, le=LONGEST)]
    reason: Annotated[str, Meta(max_length=rules.LONGEST_REASON)]


class Findings(Endpoint):
    """What the checks find."""

    @operation("health.items", tag="health", answers={200: FindingList})
    def get(self, _request: Request) -> Response:
        """List what `aegis doctor` and the page Health tell, as it is now."""
        self.principal.require(METRICS)
        return listed(snoozes.examine())


class SnoozeFinding(Endpoint):
    """Leaving a finding alone."""

    @operation("health.snooze", tag="health", body=SnoozeInput, answers={200: FindingList})
    @once
    def post(self, _request: Request) -> Response:
        """
        Leave what a check finds alone for 90 days at most; superusers only.

        It is told again at its end, or earlier if it gets worse or better. The answer has what the
        check finds.
        """
        order = self.ordered(SnoozeInput)
        until: datetime = timezone.now() + timedelta(seconds=order.seconds)
        mending.snooze(
            principal=self.principal,
            item=order.item,
            state=order.state,
            reason=order.reason,
            until=until,
        )
        return listed(snoozes.examine([order.item]))


class WakeFinding(Endpoint):
    """Telling a finding again."""

    @operation("health.wake", tag="health", body=WakeInput, answers={200: FindingList})
    @once
    def post(self, _request: Request) -> Response:
        """Tell again what was left alone; superusers only."""
        order = self.ordered(WakeInput)
        mending.wake(principal=self.principal, item=order.item, state=order.state)
        return listed(snoozes.examine([order.item]))


def listed(found: list[Finding]) -> Response:
    """What checks found, as an answer."""
    return Response({"data": [codecs.show(_document(one)) for one in found]})


def _document(one: Finding) -> FindingDocument:
    left = one.snoozed
    return FindingDocument(
        item=one.check,
        state=one.state,
        said=one.said,
        fix=one.fix,
        snoozed=SnoozedDocument(by=left.by, reason=left.reason, until=left.until) if left else None,
    )
