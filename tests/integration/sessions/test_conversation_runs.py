import pytest

from aegis_project.kit.errors import InvalidState
from sessions.core.conversation import Admission, Role
from sessions.core.errors import AgentNotFound, InvalidMessage
from sessions.core.lifecycle import State
from sessions.models import Message, Run, Session
from sessions.selectors import history
from sessions.services import conversation
from sessions.services.conversation import Said, Utterance
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


def say(session: Session, content: str = "Hello", **said) -> Said:
    return conversation.say(
        principal=OPERATOR, session=session, draft=Utterance(content=content, **said)
    )


def answering(said: Said) -> Run:
    assert said.run is not None
    return said.run


def chat(**draft) -> Session:
    return factories.session(agent="assistant", **draft)


def shown(session: Session) -> list[str]:
    return [entry.message.content for entry in history.page(session, limit=50).entries]


def states() -> list[str]:
    return list(Run.objects.order_by("place").values_list("state", flat=True))


def test_a_message_of_a_user_is_answered_by_the_agent_of_the_session():
    session = chat()

    said = say(session, task="t", parameters={"a": 1})

    run = answering(said)
    assert (run.agent_slug, run.message, run.task) == ("assistant", said.message, "t")
    assert (run.parameters, run.state, run.requested_by) == ({"a": 1}, "queued", "user:operator")
    session.refresh_from_db()
    assert session.state == State.RUNNING


@pytest.mark.parametrize("said", [{"answers": False}, {"role": Role.SYSTEM}])
def test_a_note_is_answered_by_nobody(said):
    session = chat()

    assert say(session, **said).run is None
    session.refresh_from_db()
    assert session.state == State.CREATED


def test_another_agent_may_be_asked_and_none_is_not():
    session = factories.session()

    asked = say(session, agent="assistant")
    with pytest.raises(AgentNotFound):
        say(session, agent="nobody")
    with pytest.raises(InvalidMessage):
        say(session, answers=True)

    assert answering(asked).agent_slug == asked.message.agent == "assistant"
    assert shown(session) == ["Hello"]


@pytest.mark.parametrize("state", [State.STOPPED, State.FAILED])
def test_a_session_that_admits_no_runs_takes_notes_alone(state: State):
    session = factories.session_in(state, agent="assistant")

    with pytest.raises(InvalidState):
        say(session, "a question")
    say(session, "a note", answers=False)

    assert shown(session) == ["a note"]


@pytest.mark.parametrize(
    ("admission", "messages", "runs"),
    [
        (Admission.ENQUEUE, ["one", "two"], ["queued", "queued"]),
        (Admission.INTERRUPT, ["one", "two"], ["cancelled", "queued"]),
        (Admission.ROLLBACK, ["two"], ["cancelled", "queued"]),
    ],
)
@pytest.mark.parametrize("is_of_session", [True, False])
def test_a_second_message_does_what_its_admission_says(
    admission: Admission, messages: list[str], runs: list[str], is_of_session: bool
):
    session = chat(config={"admission": admission.value} if is_of_session else {})

    say(session, "one")
    say(session, "two", admission=None if is_of_session else admission)

    assert (shown(session), states()) == (messages, runs)


def test_under_reject_a_second_message_is_not_even_kept():
    session = chat(config={"admission": "reject"})
    say(session, "one")

    with pytest.raises(InvalidState):
        say(session, "two")

    assert (list(Message.objects.values_list("content", flat=True)), states()) == (
        ["one"],
        ["queued"],
    )


def test_a_branch_leaves_what_was_still_to_be_answered():
    session = chat()
    first = say(session, "one")
    say(session, "two")

    edited = conversation.edit(
        principal=OPERATOR, session=session, message=first.message.pk, content="eins"
    )

    assert shown(session) == ["eins"]
    assert states() == ["cancelled", "cancelled", "queued"]
    assert answering(edited).message == edited.message


def test_a_branch_is_not_chosen_while_the_other_is_to_be_answered():
    session = chat()
    first = say(session, "one")
    conversation.edit(principal=OPERATOR, session=session, message=first.message.pk, content="eins")

    with pytest.raises(InvalidState):
        conversation.choose(principal=OPERATOR, session=session, message=first.message.pk)

    assert shown(session) == ["eins"]
