"""What the conversation of a session tells a page that shows it."""

import pytest

from aegis_project.database import run_db
from sessions.admin.conversation_feed import ConversationFeed
from sessions.core.lifecycle import Kind
from sessions.selectors import voices
from sessions.services import conversation
from sessions.services.conversation import Utterance
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)


async def test_what_happens_while_it_reads_is_told_by_the_next_turn(monkeypatch):
    session = await run_db(factories.session, kind=Kind.CHAT, agent="assistant")
    feed = ConversationFeed(OPERATOR, session_id=session.pk)
    await feed.turn()
    read = voices.open_runs

    def read_as_somebody_speaks(session_id):
        found = read(session_id)
        draft = Utterance("Meanwhile", answers=True)
        conversation.say(principal=OPERATOR, session=session_id, draft=draft)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(voices, "open_runs", read_as_somebody_speaks)
        await feed.turn()
    told = await feed.turn()

    assert [len(frame["runs"]) for frame in told] == [1]
