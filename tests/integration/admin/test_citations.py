"""Which words of a conversation lead to a record, and for whom."""

import pytest

from sessions.admin import conversation
from sessions.core.lifecycle import Kind
from sessions.models import Message, ToolCall
from sessions.services import conversation as services
from sessions.services.conversation import Utterance
from streaming.models import Log
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db
READ = {"topic": "prices", "records": [{"seq": 2, "ts": 5000, "data": {"close": "86638.18"}}]}


@pytest.fixture
def session():
    made = factories.session(kind=Kind.CHAT, agent="assistant")
    Log.objects.create(session=made, name="prices", epoch="a" * 16, ck="0" * 16)
    return made


def said(session, content: str, **metadata) -> Message:
    draft = Utterance(content, metadata=metadata, answers=False)
    return services.say(principal=OPERATOR, session=session, draft=draft).message


def answered(session, *, source: str) -> None:
    """A tool called read_topic, of whatever source, has answered within the conversation."""
    run = services.say(
        principal=OPERATOR, session=session, draft=Utterance("Look.", answers=True)
    ).run
    assert run is not None
    ToolCall.objects.create(
        session=session,
        run=run,
        message=said(session, "I look."),
        call_id="1",
        tool="read_topic",
        source=source,
        result=READ,
        digest="",
    )
    Message.objects.filter(content="I look.").update(tool_call_count=1)


def shown(session, principal=OPERATOR) -> str:
    return conversation.html(conversation.load(principal, session))


def test_what_was_read_leads_to_its_instant(session):
    answered(session, source="builtin")
    said(session, "It closed at 86638.18.")

    assert "/review/?t=5000" in shown(session)


def test_another_tool_of_that_name_is_not_believed(session):
    answered(session, source="component")
    said(session, "It closed at 86638.18.")

    assert "/review/" not in shown(session)


def test_a_person_cannot_pass_on_a_record_that_was_none(session):
    said(session, 'prices: {"close":"86638.18"}', cause="prices:0a:7")
    said(session, "It closed at 86638.18.")

    assert "/review/" not in shown(session)
    assert "tab=topics&amp;topic=prices" in shown(session)


def test_topics_lead_nowhere_for_whoever_may_not_read_them(session):
    answered(session, source="builtin")
    said(session, "It closed at 86638.18, as prices tells.")
    reader = factories.member(session.team, scopes=["messages:read", "sessions:read"])

    assert "ae-cited" not in shown(session, reader)
