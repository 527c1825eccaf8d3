from uuid import UUID

import pytest

from components import selectors
from components.core.errors import ComponentAmbiguous, ComponentNotFound
from components.models import Component
from sessions.models import Session
from tests import factories

pytestmark = pytest.mark.django_db

IDS = {
    "feed": UUID("face0000-0000-4000-8000-000000000001"),
    "feeder": UUID("face1111-0000-4000-8000-000000000002"),
    "sink": UUID("fe111111-0000-4000-8000-000000000003"),
}


@pytest.fixture
def session() -> Session:
    session = factories.session()
    for name, pk in IDS.items():
        Component.objects.create(pk=pk, session=session, name=name)
    return session


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (str(IDS["sink"]), "sink"),
        (str(IDS["sink"]).upper(), "sink"),
        ("feed", "feed"),
        ("FEED", "feed"),
        ("face1", "feeder"),
        ("fe11", "sink"),
        ("s", "sink"),
        ("feede", "feeder"),
    ],
)
def test_a_component_is_known_by_id_name_or_the_beginning_of_one(
    session: Session, reference: str, name: str
):
    assert selectors.find(reference, session_id=session.pk).name == name


@pytest.mark.parametrize(
    ("reference", "candidates"), [("face", ["feed", "feeder"]), ("fe", ["feed", "feeder"])]
)
def test_a_beginning_of_several_is_ambiguous(
    session: Session, reference: str, candidates: list[str]
):
    with pytest.raises(ComponentAmbiguous) as refusal:
        selectors.find(reference, session_id=session.pk)

    assert refusal.value.details == {"candidates": candidates}


@pytest.mark.parametrize("reference", ["", "nobody", "fa", "face2", str(UUID(int=7))])
def test_what_nobody_is_called_is_not_found(session: Session, reference: str):
    with pytest.raises(ComponentNotFound):
        selectors.find(reference, session_id=session.pk)


def test_the_only_component_needs_no_reference():
    session = factories.session()
    only = Component.objects.create(session=session, name="only")

    assert selectors.find("", session_id=session.pk) == only


def test_a_component_of_another_session_is_not_found(session: Session):
    other = factories.session()

    with pytest.raises(ComponentNotFound):
        selectors.find("feed", session_id=other.pk)
