import pytest

from aegis_project.kit import principal
from aegis_project.kit.errors import PermissionDenied
from aegis_project.kit.principal import ANONYMOUS, Principal

ANNA = Principal(
    kind="user",
    id="user:7",
    label="anna",
    scopes=frozenset({"sessions:read"}),
    teams=frozenset({1, 2}),
    user_id=7,
)


def test_the_actor_names_kind_and_label():
    assert ANNA.actor == "user:anna"


def test_a_principal_is_allowed_what_it_was_granted_and_no_more():
    assert ANNA.allows("sessions:read")
    assert not ANNA.allows("sessions:write")


def test_requiring_a_missing_scope_is_refused_by_name():
    ANNA.require("sessions:read")

    with pytest.raises(PermissionDenied) as refusal:
        ANNA.require("sessions:write")

    assert refusal.value.details == {"scope": "sessions:write"}


def test_a_principal_sees_its_own_teams():
    assert [team for team in (1, 2, 3) if ANNA.sees_team(team)] == [1, 2]


def test_the_anonymous_see_and_may_nothing():
    assert not ANONYMOUS.sees_team(1)
    assert not ANONYMOUS.allows("sessions:read")


def test_aegis_itself_may_everything_in_every_team():
    sweep = principal.system("sweep")

    assert sweep.actor == "system:sweep"
    assert sweep.allows("whatever:it-is")
    assert sweep.sees_team(99)


def test_coming_in_by_a_transport_changes_nothing_but_the_request():
    via = ANNA.via("rest", request_id="r-1", idempotency_key="k-1")

    assert (via.transport, via.request_id, via.idempotency_key) == ("rest", "r-1", "k-1")
    assert via.via("") == ANNA
