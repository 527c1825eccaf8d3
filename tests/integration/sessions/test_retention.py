"""First events of ledgers, and artifacts, leave before the sessions they are of do."""

import io
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.test import Client

from aegis_project import health
from aegis_project.database import atomic, run_db
from aegis_project.health import State as Found
from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from sessions import checks  # noqa: F401 -- it registers its checks
from sessions.core.lifecycle import State
from sessions.files.capsules import Reader
from sessions.jobs import Retention
from sessions.models import Artifact, Checkpoint, Delivery, Session, Webhook
from sessions.selectors.purging import What, Wish
from sessions.services import artifacts, bookmarks, capsules, checkpoints, lifecycle, purging
from sessions.services.bookmarks import Mark
from streaming.core.position import Cursor
from streaming.core.resume import Gap, Start
from streaming.engines.memory import MemoryEngine
from streaming.engines.rows import RowEngine
from streaming.hub import Hub, following
from streaming.models import AuditEntry, Event, Log
from streaming.node import Node
from streaming.services import ledger
from tests import factories
from tests.calling import SYSTEM, Caller, caller
from tests.factories import OPERATOR
from tests.integration.sessions.test_purging import left, over, since

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

EVENTS, FILES = Wish(30, what=What.EVENTS), Wish(30, what=What.ARTIFACTS)


def told(key: str = "old") -> Session:
    """A session that is over, and of whose ledger nothing is marked."""
    session = going(key)
    finish(session)
    return session


def going(key: str) -> Session:
    session = factories.session_in(State.RUNNING, key=key)
    for number in range(5):
        with atomic():
            ledger.append(session_id=session.pk, type="note", actor="test", number=number)
    return session


def finish(session: Session) -> None:
    lifecycle.end(principal=OPERATOR, session=session)
    since(session, 31)


def log_of(session: Session) -> Log:
    return Log.objects.ledger_of(session.pk).get()


def purged(wish: Wish, *, is_dry: bool = False) -> list[tuple[str, int, int]]:
    found = purging.purge(principal=SYSTEM, wish=wish, is_dry=is_dry)
    return [(one.session.key, one.events, one.files) for one in found]


def made(session: Session, *names: str) -> list[Artifact]:
    return [
        artifacts.create(principal=OPERATOR, session=session, name=name, content=name.encode())
        for name in names
    ]


def test_of_a_ledger_all_but_the_newest_event_goes_and_its_chain_still_holds():
    session = told()
    head = log_of(session).head

    dry = purged(EVENTS, is_dry=True)
    there = Event.objects.count()
    done = purged(EVENTS)

    log = log_of(session)
    assert dry == done == [("old", head - 1, 0)]
    assert there == head
    assert (log.start, log.head) == (head, head)
    assert list(log.events.order_by("seq").values_list("seq", flat=True)) == [head - 1, head]
    assert ledger.chain_is_sound(log)
    assert purged(EVENTS) == []
    entry = AuditEntry.objects.get(command="events.purge")
    assert (entry.target, entry.detail["events"]) == ("old", head - 1)


def test_a_bookmark_a_checkpoint_and_what_a_webhook_waits_for_keep_what_comes_after():
    free, marked, saved, waiting = (going(key) for key in ("free", "marked", "saved", "waiting"))
    bookmarks.create(principal=OPERATOR, session=marked, mark=Mark(seq=3))
    checkpoints.create(principal=OPERATOR, session=saved)
    taken = Checkpoint.objects.get(session=saved).seq
    for session in (free, marked, saved, waiting):
        finish(session)
    webhook = Webhook.objects.create(team=waiting.team, url="https://x.test/", secret="x")
    Delivery.objects.create(webhook=webhook, session=waiting, seq=4, type="note")

    purged(EVENTS)

    starts = {row.key: log_of(row).start for row in (marked, saved, waiting)}
    assert starts == {"marked": 3, "saved": taken, "waiting": 4}
    assert log_of(free).start == log_of(free).head
    # Each keeps the one before as its anchor, and nothing earlier.
    assert [factories.ledger(row)[0].seq for row in (marked, waiting)] == [2, 3]


def test_what_is_open_or_young_keeps_all_of_it():
    session = factories.session_in(State.RUNNING, key="open")
    made(session, "a.txt")
    since(session, 99)
    since(told("young"), 29)

    assert (purged(EVENTS), purged(FILES)) == ([], [])
    assert not Log.objects.exclude(start=1).exists()


def test_readers_are_told_where_the_ledger_begins(program: Caller):
    session = told()
    bookmarks.create(principal=OPERATOR, session=session, mark=Mark(seq=4))
    purged(EVENTS)

    page = program.get(f"/api/v1/sessions/{session.pk}/events").json()

    assert (page["start"], page["data"][0]["seq"]) == (4, 4)
    assert page["head"] == page["next"] == log_of(session).head


async def test_who_was_away_meanwhile_is_told_which_events_do_not_come():
    session = await run_db(told)
    row = await run_db(log_of, session)
    second = await run_db(row.events.get, seq=2)
    hub = Hub(engines=[RowEngine(), MemoryEngine()])
    key = (str(session.pk), "ledger")
    await run_db(purged, EVENTS)

    at = Cursor(row.epoch, 2, bytes.fromhex(second.ck))
    turns = following.follow(hub, key, Start("earliest"), at, beat_seconds=30)
    notice = (await anext(turns)).notice
    cut = (await anext(turns)).cut
    await turns.aclose()

    assert isinstance(notice, Gap)
    assert cut is not None
    assert (notice.first, notice.last, cut.first) == (3, row.head - 1, row.head)


async def test_a_log_that_is_held_says_nothing_of_what_went_until_it_knows_where_it_starts():
    session = await run_db(told)
    engine = RowEngine()
    log = await engine.open((str(session.pk), "ledger"))
    assert log is not None
    await run_db(purged, EVENTS)

    before = await log.read(0)
    moved = await engine.wait([log.key], 0)
    after = await log.read(0)

    assert (before, moved) == (None, {log.key})
    assert after is not None
    assert (log.start, after.first) == (log.head, log.head)


def test_artifacts_go_with_their_bytes_and_the_ledger_says_so():
    session = factories.session_in(State.RUNNING, key="old")
    paths = [one.path for one in made(session, "a.txt", "a.txt", "b.txt")]
    lifecycle.end(principal=OPERATOR, session=session)
    since(session, 31)

    dry, there = purged(FILES, is_dry=True), Artifact.objects.count()
    done = purged(FILES)

    assert dry == done == [("old", 0, 3)]
    assert (there, Artifact.objects.count()) == (3, 0)
    assert not any(storages["sessions"].exists(path) for path in paths)
    deleted = [data for type_, data in factories.told(session) if type_ == "artifact.deleted"]
    assert [(one["name"], one["version"]) for one in deleted] == [
        ("a.txt", 1), ("a.txt", 2), ("b.txt", 1),
    ]  # fmt: skip
    entry = AuditEntry.objects.get(command="artifacts.purge")
    assert entry.detail == {"files": 3, "bytes": 15}
    assert left() == {"old"}


def test_an_artifact_whose_making_is_bookmarked_stays():
    session = factories.session_in(State.RUNNING, key="old")
    made(session, "a.txt", "b.txt")
    made_at = Event.objects.filter(type="artifact.created").order_by("seq")
    seq = made_at.values_list("seq", flat=True)[0]
    bookmarks.create(principal=OPERATOR, session=session, mark=Mark(seq=seq))
    lifecycle.end(principal=OPERATOR, session=session)
    since(session, 31)

    done = purged(FILES)

    assert (done, [one.name for one in Artifact.objects.all()]) == ([("old", 0, 1)], ["a.txt"])
    assert purged(FILES) == []


def test_a_capsule_of_what_is_left_comes_back_and_is_proven_from_its_anchor():
    session = told()
    bookmarks.create(principal=OPERATOR, session=session, mark=Mark(seq=4))
    purged(EVENTS)
    file = io.BytesIO()
    capsules.export(principal=OPERATOR, session=session, file=file)
    Session.objects.filter(pk=session.pk).delete()

    again = capsules.bring(principal=OPERATOR, capsule=Reader(file)).session

    assert (again.pk, log_of(again).start) == (session.pk, 4)
    assert ledger.chain_is_sound(log_of(again))


def test_a_capsule_whose_ledger_begins_where_it_cannot_is_refused():
    session = told()
    file = io.BytesIO()
    Log.objects.ledger_of(session.pk).update(start=3)
    capsules.export(principal=OPERATOR, session=session, file=file)

    with pytest.raises(ValidationFailed, match="chain of the ledger"):
        capsules.bring(principal=OPERATOR, capsule=Reader(file))


async def test_the_job_does_what_the_settings_say_and_the_check_says_when_it_is_late(settings: Any):
    session = await run_db(told)
    job, node = Retention(), Node(hub=Hub(), jobs=[])

    def keep(**days: int) -> None:
        changed = django_settings.ENVIRONMENT.model_copy(update=days)
        settings.ENVIRONMENT = changed

    def said() -> tuple[Found, str]:
        [one] = health.examine(["retention"])
        return one.state, one.said

    await job.run(node)
    at_first, forever = await run_db(log_of, session), await run_db(said)
    keep(keep_events_days=30)
    late = await run_db(said)
    await job.run(node)
    shorter, well = await run_db(log_of, session), await run_db(said)
    keep(keep_events_days=0, keep_sessions_days=30)
    await job.run(node)

    assert (at_first.start, forever) == (1, (Found.OK, "What is over is kept for ever."))
    assert late[0] is Found.WARNING
    assert (shorter.start, well) == (shorter.head, (Found.OK, "Kept: events 30 days."))
    assert await run_db(left) == set()
    entry = await run_db(AuditEntry.objects.get, command="session.purge")
    assert (entry.actor, entry.outcome) == ("system:retention", "ok")


def test_over_http_and_on_the_command_line_it_is_named_and_told_first(aegis: Any):
    session = told()
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    order = {"older_than_days": 30, "what": "events"}

    dry = client.post("/api/v1/purge", order, content_type="application/json").json()
    line = aegis("purge", "--older-than", "30", "--what", "events", "--dry-run", "--json")
    start = log_of(session).start
    done = aegis("purge", "--older-than", "30", "--what", "events", "--yes")

    assert (dry["what"], dry["dry_run"]) == ("events", True)
    assert line.document["data"] == dry["data"]
    assert (start, log_of(session).start) == (1, log_of(session).head)
    assert f"{dry['data'][0]['events']} events of 1 sessions" in done.err


def test_nobody_else_may(program: Caller):
    over("old")
    assert (
        caller().post("/api/v1/purge", {"older_than_days": 1, "what": "events"}).status_code == 403
    )
    narrow = factories.member(factories.team("default"), scopes=["events:read"])
    with pytest.raises(PermissionDenied):
        purging.purge(principal=narrow, wish=EVENTS, is_dry=True)
