"""What a conversation costs: the same with ten messages and with ten thousand."""

import random
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions.models import Message, Session
from sessions.selectors import history
from sessions.services import conversation
from sessions.services.conversation import Utterance
from tests import factories
from tests.calling import Caller
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"
FEW, MANY = 10, 10_000
MESSAGES = Message._meta.db_table


def filled(key: str, count: int) -> Session:
    """A session with a conversation of so many messages."""
    session = factories.session(key=key, name=key)
    parent: UUID | None = None
    rows = []
    for place in range(1, count + 1):
        rows.append(
            Message(
                id=uuid4(), session=session, place=place, parent_id=parent, content=f"{place} " * 50
            )
        )
        parent = rows[-1].pk
    Message.objects.bulk_create(rows, batch_size=500)
    Session.objects.filter(pk=session.pk).update(message_count=count)
    return session


def asked(program: Caller, address: str) -> list[str]:
    """What the database was asked for this address, in the second of two requests."""
    program.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert program.get(address).status_code == 200
    return [one["sql"] for one in captured.captured_queries]


@pytest.mark.parametrize("address", [SESSIONS, f"{SESSIONS}/few", f"{SESSIONS}/many"])
def test_listing_and_opening_read_no_messages(program: Caller, address: str):
    filled("few", FEW)
    filled("many", MANY)

    questions = asked(program, address)

    assert not [one for one in questions if MESSAGES in one]


def test_opening_costs_the_same_with_ten_thousand_messages(program: Caller):
    filled("few", FEW)
    filled("many", MANY)

    few, many = (len(asked(program, f"{SESSIONS}/{key}")) for key in ("few", "many"))

    assert few == many


@pytest.mark.parametrize("query", ["limit=5", "limit=5&before=8", "limit=5&after=2"])
def test_a_page_costs_the_same_with_ten_thousand_messages(program: Caller, query: str):
    filled("few", FEW)
    filled("many", MANY)

    few, many = (asked(program, f"{SESSIONS}/{key}/messages?{query}") for key in ("few", "many"))

    assert len(few) == len(many)
    bodies = [one for one in many if '"content"' in one]
    assert len(bodies) == 1
    assert "LIMIT 6" in bodies[0]


def test_saying_costs_the_same_with_ten_thousand_messages():
    counts = []
    for key, count in (("few", FEW), ("many", MANY)):
        session = filled(key, count)
        say(session, "warm")
        with CaptureQueriesContext(connection) as captured:
            say(session, "counted")
        counts.append(len(captured.captured_queries))

    assert counts[0] == counts[1]


# Whatever is done to its branches


def say(session: Session, content: str, parent: UUID | None = None) -> Message:
    draft = Utterance(content=content, parent=parent)
    return conversation.say(principal=OPERATOR, session=session, draft=draft).message


class Model:
    """What the chosen branch must be, kept as simply as can be."""

    def __init__(self) -> None:
        self.parents: dict[UUID, UUID | None] = {}
        self.chosen: list[UUID] = []

    def add(self, new: UUID, parent: UUID | None) -> None:
        self.parents[new] = parent
        self.chosen = [*self.up(parent), new]

    def up(self, at: UUID | None) -> list[UUID]:
        return [] if at is None else [*self.up(self.parents[at]), at]

    def choose(self, at: UUID) -> None:
        while following := [one for one, parent in self.parents.items() if parent == at]:
            at = following[-1]
        self.chosen = self.up(at)


@pytest.mark.parametrize("seed", range(8))
def test_the_chosen_branch_is_one_way_whatever_is_done(seed: int):
    chance = random.Random(seed)  # noqa: S311 -- it is to be the same each time
    model, session = Model(), factories.session()
    for number in range(30):
        known = list(model.parents)
        move = chance.choice(["say", "say", "reply", "edit", "choose"]) if known else "say"
        at = chance.choice(known) if known else None
        if move == "say":
            last = model.chosen[-1] if model.chosen else None
            model.add(say(session, str(number)).pk, last)
        elif move == "reply":
            model.add(say(session, str(number), parent=at).pk, at)
        elif at is not None and move == "edit":
            said = conversation.edit(
                principal=OPERATOR, session=session, message=at, content=str(number)
            )
            model.add(said.message.pk, model.parents[at])
        elif at is not None:
            conversation.choose(principal=OPERATOR, session=session, message=at)
            model.choose(at)

        page = history.page(session, limit=200)
        assert [one.message.pk for one in page.entries] == model.chosen
    places = list(Message.objects.order_by("place").values_list("place", flat=True))
    assert places == list(range(1, len(model.parents) + 1))
