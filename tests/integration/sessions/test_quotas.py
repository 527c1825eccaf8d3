"""What a team may have: counted once however many ask, refused with what to do, shown to it."""

from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from aegis_project.env import Environment
from aegis_project.kit.errors import QuotaExceeded
from sessions.core.errors import BudgetExceeded
from sessions.core.lifecycle import State
from sessions.core.turns import Media
from sessions.models import Artifact, Attachment, Run, Session, Trigger
from sessions.selectors import budgets
from sessions.services import artifacts, attachments, creation, lifecycle, triggers
from sessions.services.creation import Draft
from tests import asking, factories, threads
from tests.calling import SYSTEM, caller, code

# django-typer has not followed Typer there yet.
pytestmark = pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning")

QUOTAS = "/api/v1/quotas"


@pytest.fixture
def say(settings: Any, tmp_path: Any):
    """Make the setting say something else."""

    def said(text: str) -> None:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"quotas": text})

    return said


@pytest.mark.django_db
def test_one_open_session_too_many_is_refused_with_what_to_do_until_one_is_over(say: Any):
    say("open_sessions=2")
    program = caller()
    first, _ = (program.post("/api/v1/sessions", {"key": key}) for key in ("a", "b"))

    refused = program.post("/api/v1/sessions", {"key": "c"})
    elsewhere = caller(team="elsewhere").post("/api/v1/sessions", {"key": "c"})
    program.post(f"/api/v1/sessions/{first.json()['id']}/end")
    after = program.post("/api/v1/sessions", {"key": "c"})

    assert code(refused) == (429, "QUOTA_EXCEEDED")
    error = refused.json()["error"]
    assert error["details"] == {
        "quota": "open_sessions",
        "team": "default",
        "used": 2,
        "most": 2,
    }
    assert "Complete, end or delete" in error["message"]
    assert (elsewhere.status_code, after.status_code) == (201, 201)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_no_more_than_the_quota(say: Any):
    team = factories.team("default")
    say("default:open_sessions=3")

    found = threads.together(
        [partial(creation.create, principal=SYSTEM, draft=Draft(key=f"k-{n}")) for n in range(8)]
    )

    assert Session.objects.open().filter(team=team).count() == 3
    assert sum(isinstance(one, QuotaExceeded) for one in found) == 5


@pytest.mark.django_db
def test_files_count_together_whatever_they_are_of(say: Any):
    session = factories.session_in(State.RUNNING)
    say("stored_bytes=10")
    artifacts.create(principal=SYSTEM, session=session, name="a.txt", content=b"12345")

    attachments.upload(principal=SYSTEM, session=session, filename="b.txt", content=b"1234")
    with pytest.raises(QuotaExceeded) as refused:
        attachments.upload(principal=SYSTEM, session=session, filename="c.txt", content=b"12")
    with pytest.raises(QuotaExceeded):
        artifacts.create(principal=SYSTEM, session=session, name="a.txt", content=b"12")

    assert refused.value.details == {
        "quota": "stored_bytes",
        "team": "default",
        "used": 9,
        "most": 10,
    }
    assert (Artifact.objects.count(), Attachment.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_what_a_model_made_is_kept_as_far_as_there_is_room(say: Any):
    session = factories.session_in(State.RUNNING)
    made = [
        Media(data=b"1234", media_type="text/plain"),
        Media(data=b"12", media_type="text/plain"),
    ]
    say("stored_bytes=3")

    assert attachments.fitting(session, made) == made[1:]


@pytest.mark.django_db
def test_runs_of_today_are_counted_and_the_answer_says_when_there_are_more(say: Any):
    session = factories.session_in(State.RUNNING)
    say("runs_per_day=1")
    program, body = caller(), {"agent": "assistant"}
    before = Run(session=session, place=1, agent_slug="x", created_at="2020-01-01T00:00:00Z")
    before.save()

    first = program.post(f"/api/v1/sessions/{session.pk}/runs", body)
    refused = program.post(f"/api/v1/sessions/{session.pk}/runs", body)

    assert first.status_code in {201, 202}
    assert code(refused) == (429, "QUOTA_EXCEEDED")
    assert 0 < int(refused["Retry-After"]) <= 86_400


@pytest.mark.django_db
def test_a_trigger_rests_while_its_team_has_begun_all_it_may(say: Any):
    session = factories.session_in(State.RUNNING)
    trigger = Trigger.objects.create(
        agent=asking.agent("scribe"), session=session, pattern="prices.*", prompt="Look."
    )
    asking.run(session)
    said = session.messages.count()
    say("runs_per_day=1")

    woken = triggers.wake(
        trigger_id=trigger.pk, session_id=session.pk, topic="prices.a", data="1", cause="c"
    )

    assert woken is None
    assert session.messages.count() == said


@pytest.mark.django_db
def test_a_run_waits_when_the_tokens_of_the_day_are_used(say: Any):
    run = asking.run(factories.session_in(State.RUNNING))
    Run.objects.update(token_count=100)
    say("tokens_per_day=101")
    budgets.check(run)
    say("tokens_per_day=100")

    with pytest.raises(BudgetExceeded) as refused:
        budgets.check(run)

    assert refused.value.details == {"of": "team", "limit": "max_tokens", "most": 100}
    assert "period begins anew" in refused.value.message


@pytest.mark.django_db
def test_teams_see_what_they_have(say: Any, aegis: Any):
    factories.team("elsewhere")
    session = factories.session_in(State.RUNNING)
    lifecycle.end(principal=SYSTEM, session=factories.session())
    attachments.upload(principal=SYSTEM, session=session, filename="b.txt", content=b"1234")
    say("open_sessions=5,elsewhere:runs_per_day=7")

    own = caller().get(QUOTAS).json()["data"]
    every = aegis("quota", "list", "--json").document["data"]
    table = aegis("quota", "list").out

    mine = {
        "team": "default",
        "open_sessions": {"used": 1, "most": 5},
        "stored_bytes": {"used": 4, "most": None},
        "runs_per_day": {"used": 0, "most": None},
        "tokens_per_day": {"used": 0, "most": None},
    }
    assert own == [mine]
    assert every[0] == mine
    assert every[1]["runs_per_day"] == {"used": 0, "most": 7}
    assert "1 of 5" in table
    assert code(caller(["runs:read"]).get(QUOTAS)) == (403, "PERMISSION_DENIED")


def test_a_quota_that_is_none_is_refused_at_the_start():
    with pytest.raises(ValidationError, match="'sessions' is no quota"):
        Environment(quotas="sessions=1")
