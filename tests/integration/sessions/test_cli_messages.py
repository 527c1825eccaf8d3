from pathlib import Path

import pytest

from sessions.models import Attachment, Message, Run
from tests import factories
from tests.integration.sessions import working_help as help_

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


def test_a_conversation_is_held_and_read(aegis):
    factories.session(key="k")

    said = aegis("message", "say", "k", "Hello\x1b[2J there")
    edited = aegis("message", "edit", "k", str(Message.objects.get().pk), "Hi", "--json").document
    listed = aegis("message", "list", "k")
    back = aegis("message", "choose", "k", str(Message.objects.get(place=1).pk), "-q")
    read = aegis("message", "list", "k", "--json").document

    assert said.out.endswith(": Hello�[2J there\n")
    assert (edited["schema"], edited["data"]["branch_count"]) == ("aegis.message.edit/1", 2)
    [line] = listed.out.splitlines()[1:]
    assert line.split()[0] == "2"
    assert line.split()[-1] == "Hi"
    assert back.out.strip() == str(Message.objects.get(place=1).pk)
    assert ([one["place"] for one in read["data"]], read["meta"]["has_more"]) == ([1], False)


def test_an_agent_is_asked_and_not_waited_for_longer_than_told(aegis, tmp_path: Path):
    help_.agent()
    factories.session(key="k", agent="scribe")
    (tmp_path / "a.txt").write_text("one")

    told = aegis(
        "message", "say", "k", "Read", "--attach", str(tmp_path / "a.txt"), "--wait", "0.01"
    )
    noted = aegis("message", "say", "k", "A note", "--no-answer", "--json").document

    run = Run.objects.get()
    assert f"goes on as run {run.pk}" in told.err
    assert Attachment.objects.get().message == run.message
    assert noted["data"]["answer_run_id"] is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["say", "none", "x"], 3),
        (["say", "k", ""], 5),
        (["say", "k", "x", "--attach", "/nonexistent"], 2),
        (["edit", "k", "nothing", "x"], 3),
        (["list", "none"], 3),
    ],
)
def test_what_cannot_be_is_said_with_its_code(aegis, words: list[str], code: int):
    factories.session(key="k")

    found = aegis("message", *words)

    assert (found.code, found.out) == (code, "")
