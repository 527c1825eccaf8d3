"""What the rows say of how an installation is: the checks beside those of the machine."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from aegis_project.health import Finding, State, check, mend
from aegis_project.kit.quotas import Quota
from components.models import Credential
from components.models.credential import EXPIRES_SOON
from sessions.core import lifecycle
from sessions.core import runs as machine
from sessions.models import Run
from sessions.selectors import gauges, purging, quotas
from streaming.models import Lease
from streaming.selectors import audit
from streaming.services import leases, sealing

UNUSED = timedelta(days=30)
LATE_SECONDS = {"runs": 60.0, "webhooks": 600.0}
MOST_UNSEALED = 1000
NAMED = 3
NEARLY = 0.9


@check
def credentials() -> Iterator[Finding]:
    """Whether programs lose their credentials soon, or have some that nobody needs."""
    now, well = timezone.now(), True
    rows = Credential.objects.usable(at=now).filter(session=None).order_by("created_at")
    for state, found, said, fix in (
        (
            State.WARNING,
            rows.filter(expires_at__lte=now + EXPIRES_SOON),
            f"expire within {EXPIRES_SOON.days} days",
            "aegis credential rotate PREFIX puts a fresh secret in the place of each.",
        ),
        (
            State.NOTICE,
            rows.filter(last_used_at=None, created_at__lte=now - UNUSED),
            f"are older than {UNUSED.days} days and were never used",
            "aegis credential revoke PREFIX takes each away.",
        ),
    ):
        names = [f"{row} ({row.prefix})" for row in found[: NAMED + 1]]
        if names:
            well = False
            more = ", …" if len(names) > NAMED else ""
            yield Finding("credentials", state, f"{', '.join(names[:NAMED])}{more}: {said}.", fix)
    if well:
        yield Finding("credentials", State.OK, "None expires soon, and all are used.")


@check
def processes() -> Iterator[Finding]:
    """Whether the servers that run share what is said."""
    rows = Lease.objects.filter(expires_at__gt=timezone.now())
    count = rows.exclude(url__startswith=leases.BESIDE).count()
    if count > 1 and not settings.ENVIRONMENT.redis_url:
        said = f"{count} servers hold their topics in memory: what is said at one, no other hears."
        yield Finding("processes", State.ERROR, said, "Give all of them one AEGIS_REDIS_URL.")
    else:
        yield Finding("processes", State.OK, f"Servers that run: {count}.")


@check
def worker() -> Iterator[Finding]:
    """Whether somebody carries out the runs that are asked for."""
    before = timezone.now() - timedelta(seconds=LATE_SECONDS["runs"])
    waiting = _waiting(before).count()
    if waiting:
        fix = (
            "Start aegis worker, or a server without --no-worker; if there is one, look at its log."
        )
        said = f"{waiting} runs have waited for a worker for a minute and more."
        yield Finding("worker", State.ERROR, said, fix)
    else:
        yield Finding("worker", State.OK, "No run waits for a worker.")


def _waiting(before: datetime) -> QuerySet[Run]:
    busy = Run.objects.filter(
        session=OuterRef("session"), state__in=machine.OPEN - {machine.State.QUEUED}
    )
    return Run.objects.filter(
        ~Exists(busy),
        state=machine.State.QUEUED.value,
        session__state=lifecycle.State.RUNNING.value,
        created_at__lt=before,
    )


@check
def webhooks() -> Iterator[Finding]:
    """Whether those who wait for events hear of them."""
    late = gauges.webhook_lateness()
    if late > LATE_SECONDS["webhooks"]:
        said = f"The oldest delivery that is due is {late / 60:.0f} minutes late."
        fix = "aegis webhook deliveries WEBHOOK shows what its receiver answers."
        yield Finding("webhooks", State.WARNING, said, fix)
    else:
        yield Finding("webhooks", State.OK, "Nothing that is due is late.")


@check
def sealer() -> Iterator[Finding]:
    """Whether new entries of the audit come into its chain."""
    unsealed = audit.unsealed_count()
    if unsealed > MOST_UNSEALED:
        said = f"{unsealed} entries of the audit are not in its chain yet."
        fix = "A server seals them: start one. If one runs, its log says what keeps it."
        yield Finding("sealer", State.WARNING, said, fix)
    else:
        yield Finding("sealer", State.OK, "The audit's chain is kept up.")


@mend("sealer")
def seal() -> str:
    """Put what is not in the chain there, unless a server does."""
    lease_id, count = uuid4(), 0
    while done := sealing.seal(lease_id=lease_id):
        count += done
    return f"{count} entries of the audit were sealed." if count else "A server seals them now."


@check
def quota() -> Iterator[Finding]:
    """Whether a team has nearly all of what it may have."""
    said = list(_nearly_used())
    for one in said:
        fix = "Let the team end or remove something, or raise it in AEGIS_QUOTAS."
        yield Finding("quota", State.WARNING, one, fix)
    if not said:
        yield Finding("quota", State.OK, "No team is near its quotas.")


def _nearly_used() -> Iterator[str]:
    limited = [one for one in Quota if quotas.configured().limits(one)]
    for team in Group.objects.order_by("name") if limited else ():
        for one in limited:
            found = quotas.use(team, one)
            if found.most is not None and found.used >= NEARLY * found.most:
                what = one.value.replace("_", " ")
                yield f"The team {found.team} has {found.used} of {found.most} {what}."


@check
def retention() -> Iterator[Finding]:
    """Whether what is kept for some days only leaves in time."""
    wishes, now = purging.by_settings(), timezone.now()
    late = {
        wish.what.value: purging.due(
            replace(wish, older_than_days=wish.older_than_days + 1), now=now
        )
        for wish in wishes
    }
    left = {what: count for what, rows in late.items() if (count := rows.count())}
    for what, count in left.items():
        said = f"Of {count} sessions, {what} are kept a day and more longer than they should be."
        fix = "Look at the logs of the servers: one of them removes it each hour."
        yield Finding("retention", State.WARNING, said, fix)
    if not left:
        kept = [f"{wish.what.value} {wish.older_than_days:g} days" for wish in wishes]
        said = f"Kept: {', '.join(kept)}." if kept else "What is over is kept for ever."
        yield Finding("retention", State.OK, said)
