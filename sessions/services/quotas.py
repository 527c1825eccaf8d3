"""Keeping teams within their quotas, however many ask at once."""

from django.contrib.auth.models import Group
from django.utils import timezone

from aegis_project.kit.errors import QuotaExceeded
from aegis_project.kit.quotas import Quota
from sessions.selectors import quotas
from sessions.selectors.quotas import Use

HINTS = {
    Quota.OPEN_SESSIONS: "Complete, end or delete sessions that are done",
    Quota.STORED_BYTES: "Remove files that nobody needs",
    Quota.RUNS_PER_DAY: "Come again tomorrow",
}


def admit(team_id: int, quota: Quota, more: int = 1) -> None:
    """
    Go on only where a team has room for so many more, in the caller's transaction.

    The team's row stays locked until that ends, so that of two who come at once, in whatever
    processes, the second counts what the first has made. Locks of sessions and runs come before
    it, heads of logs after it. Where no team has such a limit nothing is asked and nothing locked.

    :raises QuotaExceeded: naming the quota, what it is, and what to do
    """
    found = _locked(team_id, quota)
    if found is not None and found.most is not None and found.used + more > found.most:
        raise _beyond(found)


def room(team_id: int, quota: Quota, *, most: int) -> int:
    """How much of ``most`` a team has room for, which stays so until the transaction ends."""
    found = _locked(team_id, quota)
    left = found.left if found is not None else None
    return most if left is None else min(most, left)


def _locked(team_id: int, quota: Quota) -> Use | None:
    if not quotas.configured().limits(quota):
        return None
    return quotas.use(Group.objects.select_for_update(no_key=True).get(pk=team_id), quota)


def _beyond(found: Use) -> QuotaExceeded:
    details: dict[str, object] = {"quota": found.quota.value, "team": found.team}
    if found.quota is Quota.RUNS_PER_DAY:
        details["retry_after"] = quotas.until_tomorrow(timezone.now())
    what = found.quota.value.replace("_", " ")
    return QuotaExceeded(
        f"The team {found.team} has {found.used} of {found.most} {what}. {HINTS[found.quota]}, "
        "or ask an administrator for more (AEGIS_QUOTAS).",
        used=found.used,
        most=found.most,
        **details,
    )
