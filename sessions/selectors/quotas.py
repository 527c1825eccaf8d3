"""What teams have of what their quotas allow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet, Sum
from django.utils import timezone

from aegis_project.kit import quotas
from aegis_project.kit.principal import Principal
from aegis_project.kit.quotas import Quota, Quotas
from sessions.core import periods
from sessions.models import Artifact, Attachment, Run, Session


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one quota a team uses; without a limit ``most`` is None."""

    team: str
    quota: Quota
    used: int
    most: int | None

    @property
    def left(self) -> int | None:
        """How much there is room for; None without a limit."""
        return None if self.most is None else max(self.most - self.used, 0)


def configured() -> Quotas:
    """What the setting ``AEGIS_QUOTAS`` says."""
    return _parsed(settings.ENVIRONMENT.quotas)


_parsed = cache(quotas.parse)


def use(team: Group, quota: Quota) -> Use:
    """What a team has of one quota, by its rows."""
    used = USED[quota](team.pk)
    return Use(team=team.name, quota=quota, used=used, most=configured().of(team.name).get(quota))


def of_all(principal: Principal) -> Iterator[Use]:
    """
    What each team that the principal sees has of each quota, the teams by name.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    teams = Group.objects.order_by("name")
    seen = teams if principal.teams is None else teams.filter(pk__in=principal.teams)
    return (use(team, quota) for team in seen for quota in Quota)


def until_tomorrow(now: datetime) -> int:
    """Seconds until what is counted by the day begins anew."""
    began = periods.began("day", now=now)
    assert began is not None  # noqa: S101 -- a day always began
    return int((began + timedelta(days=1) - now).total_seconds()) + 1


def _open_sessions(team_id: int) -> int:
    return Session.objects.open().filter(team=team_id).count()


def _stored_bytes(team_id: int) -> int:
    return sum(_size(model, team_id) for model in (Attachment, Artifact))


def _size(model: type[Model], team_id: int) -> int:
    rows = model._default_manager.filter(session__team=team_id)
    found: int | None = rows.aggregate(size=Sum("size"))["size"]
    return found or 0


def _runs_per_day(team_id: int) -> int:
    return _of_today(team_id).count()


def _tokens_per_day(team_id: int) -> int:
    found: int | None = _of_today(team_id).aggregate(tokens=Sum("token_count"))["tokens"]
    return found or 0


def _of_today(team_id: int) -> QuerySet[Run]:
    began = periods.began("day", now=timezone.now())
    return Run.objects.filter(session__team=team_id, created_at__gte=began)


USED: dict[Quota, Callable[[int], int]] = {
    Quota.OPEN_SESSIONS: _open_sessions,
    Quota.STORED_BYTES: _stored_bytes,
    Quota.RUNS_PER_DAY: _runs_per_day,
    Quota.TOKENS_PER_DAY: _tokens_per_day,
}
