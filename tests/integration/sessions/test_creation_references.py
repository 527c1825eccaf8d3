from uuid import UUID

import pytest

from aegis_project.kit.principal import ANONYMOUS
from sessions.core.errors import AmbiguousReference, SessionNotFound
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services import lifecycle
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


def with_id(text: str) -> Session:
    """A session whose id begins as given."""
    session = factories.session()
    session.delete()
    session.pk = UUID(text.ljust(32, "1"))
    session.save(force_insert=True)
    return session


@pytest.mark.parametrize("spell", ["key", "id", "hex", "upper", "row", "uuid"])
def test_a_session_is_found_by_its_key_or_id_in_any_spelling(spell: str):
    session = factories.session(key="mine")
    references: dict[str, Session | UUID | str] = {
        "key": "mine",
        "id": str(session.pk),
        "hex": session.pk.hex,
        "upper": str(session.pk).upper(),
        "row": session,
        "uuid": session.pk,
    }

    assert sessions.find(OPERATOR, references[spell]) == session


@pytest.mark.parametrize(
    "reference", ["", "nobody", "a b", "x" * 500, "mi\x00ne", "\x00", "é", "%", "MINE", "{}"]
)
def test_what_nobody_is_called_is_not_found(reference: str):
    factories.session(key="mine")

    for look in (sessions.find, sessions.resolve):
        with pytest.raises(SessionNotFound) as refusal:
            look(OPERATOR, reference)
        assert refusal.value.details == {"session": reference}


def test_what_is_out_of_sight_is_refused_like_what_is_not_there():
    theirs = factories.session(principal=factories.member(factories.team("theirs")), key="theirs")
    ours = factories.member(factories.team("ours"))

    def refusal(reference: str) -> dict[str, object]:
        with pytest.raises(SessionNotFound) as found:
            sessions.resolve(ours, reference)
        return found.value.as_dict()

    hidden, missing = refusal("theirs"), refusal("others")

    assert hidden | {"details": None} == missing | {"details": None}
    assert refusal(str(theirs.pk))["code"] == "SESSION_NOT_FOUND"


def test_a_key_in_several_teams_of_one_person_needs_the_id():
    one, two = factories.team("one"), factories.team("two")
    first = factories.session(principal=factories.member(one), key="same")
    factories.session(principal=factories.member(two), key="same")
    both = factories.member(one, two)

    with pytest.raises(AmbiguousReference):
        sessions.find(both, "same")
    assert sessions.find(both, first.pk) == first
    assert sessions.find(factories.member(one), "same") == first


def test_a_deleted_session_is_out_of_every_sight():
    session = factories.session(key="mine")
    lifecycle.delete(principal=OPERATOR, session=session)

    for reference in ("mine", session.pk):
        with pytest.raises(SessionNotFound):
            sessions.find(OPERATOR, reference)
    assert not sessions.visible(OPERATOR).exists()


def test_a_session_token_sees_its_own_session_only():
    mine, other = factories.session(), factories.session()

    assert list(sessions.visible(factories.bearer(mine))) == [mine]
    with pytest.raises(SessionNotFound):
        sessions.find(factories.bearer(mine), other.pk)


def test_the_anonymous_see_nothing():
    factories.session()

    assert not sessions.visible(ANONYMOUS).exists()


@pytest.mark.parametrize("prefix", ["abcd", "ABCD", "abcd1111-1111", "abcd" + "1" * 28])
def test_a_session_is_known_by_a_prefix_of_its_id(prefix: str):
    session = with_id("abcd")
    with_id("abce")

    assert sessions.resolve(OPERATOR, prefix) == session


@pytest.mark.parametrize("reference", ["abc", "----", "ab--", "-", "abcdefgh"])
def test_less_than_four_digits_are_no_prefix(reference: str):
    with_id("abcd")

    with pytest.raises(SessionNotFound):
        sessions.resolve(OPERATOR, reference)


def test_a_prefix_of_several_ids_is_ambiguous():
    with_id("abcd1")
    with_id("abcd2")

    with pytest.raises(AmbiguousReference):
        sessions.resolve(OPERATOR, "abcd")


def test_people_may_call_a_session_by_its_name_while_it_is_the_only_one():
    session = factories.session(name="Bitcoin, live")

    assert sessions.resolve(OPERATOR, "Bitcoin, live") == session
    with pytest.raises(SessionNotFound):
        sessions.find(OPERATOR, "Bitcoin, live")

    factories.session(name="Bitcoin, live")
    with pytest.raises(AmbiguousReference):
        sessions.resolve(OPERATOR, "Bitcoin, live")


def test_a_key_goes_before_a_name():
    by_key = factories.session(key="same")
    factories.session(name="same")

    assert sessions.resolve(OPERATOR, "same") == by_key
