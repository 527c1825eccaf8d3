"""What the palette finds and runs is what whoever asks may see and do."""

import re

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db

OPTION = re.compile(r'class="ae-option-title">([^<]*)<')


@pytest.fixture
def ask(client):
    def get(user, query):
        client.force_login(user)
        return client.get(reverse("palette"), {"q": query})

    return get


def titles(answer) -> list[str]:
    return [one.strip() for one in OPTION.findall(answer.content.decode())]


def test_command_of_a_key_typed_in_full_means_this_session(ask, superuser, new_session):
    new_session("dip")
    new_session("dip-two")

    assert titles(ask(superuser, "session start dip")) == ["session start dip"]


def test_noun_alone_lists_and_opens_what_it_names(ask, superuser, new_session):
    new_session("dip")

    assert titles(ask(superuser, "session list")) == ["Dip"]
    assert titles(ask(superuser, "session show di")) == ["Dip"]
    assert titles(ask(superuser, "agent assistant")) == ["Assistant"]


def test_sessions_of_other_teams_and_verbs_without_the_right_are_not_there(
    ask, person, viewer, other_team, new_session
):
    new_session("dip")
    stranger = person("sten", "aegis_sessions.view_session", group=other_team)

    assert titles(ask(stranger, "dip")) == []
    assert titles(ask(viewer, "session start dip")) == []
    assert titles(ask(viewer, "dip")) == ["Dip"]


def test_what_no_database_keeps_is_looked_for_without_it(ask, superuser, new_session):
    new_session("dip")

    assert titles(ask(superuser, "di\0p")) == ["Dip"]
