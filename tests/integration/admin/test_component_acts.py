"""A component is taken out, or begins anew, from its page."""

import re

import pytest
from django.urls import reverse

from components.core.messages import Result
from components.core.programs import Draft
from components.models import Component, Program
from components.services import asks, programs, tool_uses
from sessions.admin import component_acts
from sessions.core.lifecycle import State
from sessions.models import Session
from tests import factories
from tests.factories import OPERATOR
from tests.integration.admin.help import address, text


@pytest.fixture
def prices(new_session, new_component):
    return new_component(new_session("desk"), "prices", state="running")


def page(row) -> str:
    return reverse("admin:aegis_components_component_change", args=[row.pk])


def acts(answer) -> list[str]:
    """What the forms below the page of a component do."""
    return re.findall(r'action="[^"]*/components/[0-9a-f-]+/(\w+)/"', answer.content.decode())


def test_who_is_here_is_let_go_and_stays_listed(client, operator, prices):
    client.force_login(operator)
    assert "Detaching lets it go" in text(client.get(page(prices)))

    done = client.post(address(prices.session, "detach", prices.pk), follow=True)

    assert done.redirect_chain[-1][0] == page(prices)
    assert "prices is taken out of its session." in text(done)
    prices.refresh_from_db()
    assert (prices.state, prices.required) == ("stopped", False)


def test_who_never_came_is_gone_and_the_session_shows_who_is_left(
    client, operator, new_session, new_component
):
    row = new_component(new_session("desk"), "prices", state="pending")
    Session.objects.update(component_count=1)
    client.force_login(operator)
    assert "Nothing of it is here." in text(client.get(page(row)))

    done = client.post(address(row.session, "detach", row.pk), follow=True)

    assert done.redirect_chain[-1][0] == f"{address(row.session)}?tab=participants"
    assert not Component.objects.exists()


def test_a_program_begins_anew(client, superuser, prices):
    programs.define(principal=OPERATOR, draft=Draft(name="feed", argv=("feed",)))
    Component.objects.filter(pk=prices.pk).update(program=Program.objects.get())
    Session.objects.filter(pk=prices.session_id).update(state=State.RUNNING.value)
    client.force_login(superuser)
    assert acts(client.get(page(prices))) == ["ping", "level", "restart", "detach"]

    done = client.post(address(prices.session, "restart", prices.pk), follow=True)

    assert "prices begins anew." in text(done)
    assert factories.told(prices.session)[-1][0] == "component.relaunched"


def test_whom_no_launcher_runs_is_not_offered_to_and_refused_in_words(client, operator, prices):
    Session.objects.filter(pk=prices.session_id).update(state=State.RUNNING.value)
    client.force_login(operator)
    assert acts(client.get(page(prices))) == ["ping", "level", "detach"]

    done = client.post(address(prices.session, "restart", prices.pk), follow=True)

    assert "PROGRAM_MISSING" in text(done)


def test_nothing_is_offered_where_it_may_not_be_done(client, viewer, operator, prices):
    client.force_login(viewer)
    assert acts(client.get(page(prices))) == ["ping"]

    client.force_login(operator)
    Session.objects.filter(pk=prices.session_id).update(state=State.COMPLETED.value)
    assert acts(client.get(page(prices))) == []


def test_who_is_asked_answers_or_is_told_not_to(client, operator, prices, monkeypatch):
    monkeypatch.setattr(component_acts, "WAITS_SECONDS", 0.0)
    Component.objects.filter(pk=prices.pk).update(proto={"v": 1})
    client.force_login(operator)

    silent = client.post(address(prices.session, "ping", prices.pk), follow=True)
    quiet = client.post(
        address(prices.session, "log_level", prices.pk), {"level": "DEBUG"}, follow=True
    )
    odd = client.post(address(prices.session, "log_level", prices.pk), {"level": "x"}, follow=True)
    Component.objects.filter(pk=prices.pk).update(state="lost")
    gone = client.post(address(prices.session, "ping", prices.pk), follow=True)

    assert silent.redirect_chain[-1][0] == page(prices)
    assert "prices did not answer within 0 s." in text(silent)
    assert "prices did not say that it logs DEBUG." in text(quiet)
    assert "A level is one of DEBUG, INFO, WARNING, ERROR. (VALIDATION_ERROR)" in text(odd)
    assert "prices is lost, so there is nobody to ask. (INVALID_STATE)" in text(gone)
    assert acts(gone) == ["detach"]


def test_answer_is_told_on_the_page(client, operator, prices, monkeypatch):
    Component.objects.filter(pk=prices.pk).update(proto={"v": 1})
    client.force_login(operator)
    answers = iter([{}, {"value": {"level": "DEBUG"}}, {"error": {"message": "no log"}}])

    def answered(asked, *, within_seconds):
        tool_uses.take(component_ids=[str(prices.pk)])
        result = Result(id=str(asked.pk), **next(answers))
        tool_uses.answer(result=result, component_id=str(prices.pk))
        asked.refresh_from_db()
        return True

    monkeypatch.setattr(asks, "answered", answered)
    ping = client.post(address(prices.session, "ping", prices.pk), follow=True)
    level = {"level": "DEBUG"}
    taken = client.post(address(prices.session, "log_level", prices.pk), level, follow=True)
    refused = client.post(address(prices.session, "log_level", prices.pk), level, follow=True)

    assert re.search(r"prices answered after \d+\.\d ms\.", text(ping))
    assert "prices logs DEBUG." in text(taken)
    assert "prices says: no log" in text(refused)
