import pytest

from sessions.models import Session
from tests.integration.admin.help import SESSIONS, address, text

FORM = {
    "name": "Flash dip",
    "key": "btc-flash-dip",
    "kind": "stream",
    "environment": "test",
    "mode": "realtime",
    "team": "default",
    "context": '{"symbol": "BTCUSDT"}',
    "config": "",
}


@pytest.fixture
def maker(client, person):
    user = person("mira", "aegis_sessions.view_session", "aegis_sessions.add_session")
    client.force_login(user)
    return user


def test_form_makes_a_session_and_leads_to_its_page(client, maker):
    answer = client.post(f"{SESSIONS}add/", FORM)

    made = Session.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, address(made))
    assert (made.key, made.context, made.owner) == ("btc-flash-dip", {"symbol": "BTCUSDT"}, maker)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"key": "no spaces"}, "key"),
        ({"context": "[1]"}, "This must be a JSON object."),
        ({"context": '{"a": NaN}'}, "NaN is not a JSON number."),
        ({"team": "others"}, "Select a valid choice."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_form_says_what_is_wrong_and_makes_nothing(client, maker, other_team, changed, said):
    answer = client.post(f"{SESSIONS}add/", FORM | changed)

    assert said in text(answer)
    assert not Session.objects.exists()


def test_key_that_is_taken_is_said_at_the_field(client, maker):
    client.post(f"{SESSIONS}add/", FORM)

    answer = client.post(f"{SESSIONS}add/", FORM)

    assert "A session with the key btc-flash-dip exists." in text(answer)


def test_viewer_gets_no_form(client, viewer):
    client.force_login(viewer)

    assert client.get(f"{SESSIONS}add/").status_code == 403
