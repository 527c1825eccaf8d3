"""Ids by their beginnings: tables on a terminal show them, and commands take them."""

from uuid import UUID

import pytest

from sessions.management import output
from sessions.models import Approval, Bookmark, Checkpoint, Run
from sessions.services import conversation
from sessions.services.conversation import Utterance
from tests import asking, factories
from tests.factories import OPERATOR
from tests.integration.sessions import working_help as help_

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

RUNS = ("sessions:read", "runs:read", "runs:write", "agents:read", "sessions:control")
MESSAGES = ("sessions:read", "messages:read", "messages:write", "runs:write")
APPROVALS = ("sessions:read", "approvals:read", "approvals:decide", "runs:read")


def beginning(whole: object) -> str:
    return str(whole)[:8]


def test_a_run_is_taken_by_the_beginning_of_its_id(aegis):
    help_.agent()
    help_.session(key="k")
    run = aegis("runs", "start", "k", "--agent", "scribe", "-q").out.strip()

    shown = aegis("runs", "show", beginning(run).upper(), "-q")
    limited = aegis("runs", "limits", beginning(run), "--max-tokens", "5", "-q")
    cancelled = aegis("runs", "cancel", beginning(run), "-q")

    assert {shown.out, limited.out, cancelled.out} == {f"{run}\n"}


def test_one_that_two_begin_with_is_nobodys(aegis):
    run = asking.run(factories.session())
    Run.objects.filter(pk=run.pk).update(id=UUID("aaaabbbb-0000-4000-8000-000000000001"))
    other = asking.run(factories.session())
    Run.objects.filter(pk=other.pk).update(id=UUID("aaaabbbb-0000-4000-8000-000000000002"))

    both = aegis("runs", "show", "aaaabbbb")
    none = aegis("runs", "show", "ccccdddd")
    short = aegis("runs", "show", "aaa")

    assert (both.code, both.err.splitlines()[0]) == (
        2,
        "error: AMBIGUOUS_REFERENCE: More than one id begins with aaaabbbb; use more of it.",
    )
    assert (none.code, short.code) == (3, 3)
    assert aegis("runs", "show", "aaaabbbb-0000-4000-8000-000000000002", "-q").code == 0


def test_approvals_are_decided_by_the_beginning_of_their_ids(aegis):
    first, second, third = (
        asking.approval(asking.run(factories.session(key=key))) for key in ("a", "b", "c")
    )

    shown = aegis("approval", "show", beginning(first.pk), "-q")
    claimed = aegis("approval", "claim", beginning(first.pk), "-q")
    one = aegis("approval", "approve", beginning(first.pk), "-q")
    rest = aegis("approval", "reject", beginning(second.pk), beginning(third.pk), "--reason", "no")

    assert {shown.out, claimed.out, one.out} == {f"{first.pk}\n"}
    assert rest.code == 0, rest.err
    assert set(Approval.objects.values_list("state", flat=True)) == {"approved", "rejected"}


def test_a_checkpoint_is_meant_by_its_label_before_the_beginning_of_an_id(aegis):
    factories.session(key="k")
    aegis("checkpoint", "create", "k", "-q")
    plain = Checkpoint.objects.get()
    aegis("checkpoint", "create", "k", "--label", beginning(plain.pk), "-q")
    called = Checkpoint.objects.exclude(pk=plain.pk).get()

    by_label = aegis("checkpoint", "show", "k", beginning(plain.pk), "-q")
    by_id = aegis("checkpoint", "show", "k", beginning(called.pk), "-q")
    compared = aegis("checkpoint", "diff", "k", beginning(called.pk), str(plain.pk))
    forked = aegis("session", "fork", "k", beginning(called.pk), "--key", "f")
    gone = aegis("checkpoint", "remove", "k", beginning(called.pk), "--yes", "-q")

    assert {by_label.out, by_id.out, gone.out} == {f"{called.pk}\n"}
    assert (compared.code, forked.code) == (0, 0)


def test_what_is_registered_is_taken_by_the_beginning_of_its_id(aegis):
    help_.agent()
    factories.session(key="desk")
    hook = aegis("webhook", "create", "https://example.com/hook", "--event", "run.*",
                 "--session", "desk", "-q").out.strip()  # fmt: skip
    trigger = aegis("trigger", "create", "scribe", "--schedule", "0 9 * * *", "-q").out.strip()

    for noun, whole, changes in (
        ("webhook", hook, ["--resting"]),
        ("trigger", trigger, ["--prompt", "Look."]),
    ):
        shown = aegis(noun, "show", beginning(whole), "-q")
        changed = aegis(noun, "update", beginning(whole), *changes, "-q")
        removed = aegis(noun, "remove", beginning(whole), "--yes", "-q")
        assert {shown.out, changed.out, removed.out} == {f"{whole}\n"}, noun


def test_a_bookmark_and_a_message_are_taken_by_the_beginning_of_their_ids(aegis):
    factories.session(key="k")
    said = aegis("message", "say", "k", "hello", "-q").out.strip()
    aegis("bookmark", "create", "k", "--message", beginning(said), "--name", "the first", "-q")
    mark = Bookmark.objects.get()

    changed = aegis("bookmark", "change", beginning(mark.pk), "--note", "so it began", "-q")
    chosen = aegis("message", "choose", "k", beginning(said), "-q")
    removed = aegis("bookmark", "remove", beginning(mark.pk), "--yes", "-q")

    assert str(mark.message_id) == said
    assert (changed.out, removed.out) == (f"{mark.pk}\n", f"{mark.pk}\n")
    assert chosen.out == f"{said}\n"


def test_a_file_is_taken_by_the_beginning_of_its_id(aegis, tmp_path):
    factories.session(key="k")
    (tmp_path / "note.txt").write_text("hello")
    made = aegis("artifact", "write", "k", str(tmp_path / "note.txt"), "-q").out.strip()

    assert aegis("artifact", "read", "k", beginning(made)).out == "hello"


def test_a_server_is_asked_by_the_beginning_of_an_id(far):
    run = asking.run(factories.session(key="k"))
    approval = asking.approval(run)

    shown = far("runs", "show", beginning(run.pk), "-q", scopes=RUNS)
    asked = far("approval", "show", beginning(approval.pk), "-q", scopes=APPROVALS)
    none = far("runs", "show", "ccccdddd", "-q", scopes=RUNS)

    assert (shown.out, asked.out) == (f"{run.pk}\n", f"{approval.pk}\n")
    assert none.code == 3


def test_a_server_is_asked_by_the_beginning_of_the_id_of_a_message(far):
    session = factories.session(key="k", team="default")
    said = [
        conversation.say(principal=OPERATOR, session=session, draft=Utterance(word, answers=False))
        for word in ("hello", "again")
    ]
    [first, _] = [str(one.message.pk) for one in said]

    edited = far("message", "edit", "k", beginning(first), "Well?", "--json", scopes=MESSAGES)
    chosen = far("message", "choose", "k", beginning(edited.document["data"]["id"]), "-q",
                 scopes=MESSAGES)  # fmt: skip
    none = far("message", "choose", "k", "ccccdddd", scopes=MESSAGES)

    assert edited.document["data"]["content"] == "Well?"
    assert chosen.out == f"{edited.document['data']['id']}\n"
    assert none.code == 3


def test_a_table_is_brief_on_a_terminal_and_whole_where_nobody_looks(aegis, monkeypatch):
    run = asking.run(factories.session(key="k"))

    piped = aegis("runs", "list").out
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    seen = aegis("runs", "list").out
    wide = aegis("runs", "list", "--wide").out

    assert str(run.pk) in piped
    assert beginning(run.pk) in seen
    assert str(run.pk) not in seen
    assert str(run.pk) in wide


def test_of_a_server_ids_are_whole(far, monkeypatch):
    run = asking.run(factories.session(key="k"))
    monkeypatch.setattr(output, "is_terminal", lambda: True)

    assert str(run.pk) in far("runs", "list", "--wide", scopes=RUNS).out
    assert str(run.pk)[:30] in far("runs", "list", scopes=RUNS).out
