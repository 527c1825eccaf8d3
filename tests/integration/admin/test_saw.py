"""What the agent of a run saw, as the conversation shows it."""

import pytest

from aegis_project import database
from sessions.core.conversation import Role
from sessions.core.lifecycle import Kind
from sessions.core.tool_calls import State
from sessions.core.turns import ToolRequest
from sessions.models import Agent, Run, Session, ToolCall
from sessions.services import messages
from tests.integration.admin.help import address, text
from tests.integration.sessions import tools_help, working_help

pytestmark = pytest.mark.django_db


def answered() -> Run:
    """A run that read two of three hundred records before it answered."""
    session = working_help.session(kind=Kind.CHAT)
    agent = working_help.agent(instructions="Be brief.", tools=["read_topic", "publish"])
    with database.atomic():
        row = Session.objects.locked(session.pk)
        question = messages.append(row, role=Role.USER, content="How is it?", author="user:ana")
    run = working_help.admitted(session, agent=agent, message=question)
    [call] = tools_help.request(run, ToolRequest("c-1", "read_topic", {"topic": "book"}))
    told = {"topic": "book", "head": 300, "records": [{"seq": 299}, {"seq": 300}]}
    ToolCall.objects.filter(pk=call.pk).update(state=State.COMPLETED.value, result=told)
    usage = {"one:m": {"input_tokens": 1200}, "two:m": {"input_tokens": 30}}
    Run.objects.filter(pk=run.pk).update(usage=usage, steps=2)
    with database.atomic():
        row = Session.objects.locked(session.pk)
        messages.append(row, role=Role.ASSISTANT, content="Well.", author="agent:scribe", run=run)
    return run


def saw(client, run, session=None):
    return client.get(address(session or run.session, "saw", run.pk))


def test_each_part_says_its_size_and_what_was_left_out(client, superuser):
    run = answered()
    client.force_login(superuser)

    told = text(saw(client, run))

    assert "scribe" in told
    assert "1 230 tokens, 2 requests" in told
    assert "Tools offered 2" in told
    assert "Instructions 9 all" in told
    assert "Conversation 10 2" in told
    assert "book 63 2 of 300" in told
    assert "book: 298 records did not enter the prompt." in told


def test_without_its_question_nothing_is_told_of_its_parts(client, superuser):
    run = answered()
    Run.objects.filter(pk=run.pk).update(message=None)
    Agent.objects.all().delete()
    client.force_login(superuser)

    told = text(saw(client, run))

    assert "No message of this conversation is its question." in told
    assert "Tools offered 0" in told


def test_a_run_of_another_session_is_not_there(client, superuser):
    run = answered()
    client.force_login(superuser)

    answer = saw(client, run, working_help.session())

    assert (answer.status_code, "RUN_NOT_FOUND" in text(answer)) == (404, True)
