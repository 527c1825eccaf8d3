"""Whoever may not do something is refused by the command itself, so that the audit has it."""

import pytest
from django.contrib.auth.models import User

from sessions.models import Delivery, Grant
from sessions.services import artifacts, bookmarks, checkpoints, conversation, triggers, webhooks
from sessions.services.bookmarks import Mark
from sessions.services.conversation import Utterance
from sessions.services.triggers import TriggerDraft
from streaming.models import AuditEntry
from tests import asking, factories
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

# What is done, and the command that it is.
VERBS = [
    ("approval approve {approval}", "approval.decide"),
    ("approval reject {approval}", "approval.decide"),
    ("approval approve {approval} {other}", "approval.decide"),
    ("approval claim {approval}", "approval.claim"),
    ("approval hand-over {approval} role:approver", "approval.hand_over"),
    ("runs cancel {run}", "run.cancel"),
    ("runs limits {run} --max-steps 5", "run.limits"),
    ("checkpoint remove k {checkpoint} --yes", "checkpoint.delete"),
    ("session recover k {checkpoint}", "session.recover"),
    ("session fork k {checkpoint}", "session.fork"),
    ("bookmark create k --message {message}", "bookmark.create"),
    ("bookmark change {bookmark} --note seen", "bookmark.change"),
    ("bookmark remove {bookmark} --yes", "bookmark.remove"),
    ("message edit k {message} again", "message.edit"),
    ("message choose k {message}", "message.choose"),
    ("artifact link k {artifact}", "file.link"),
    ("artifact link k {artifact} --withdraw", "file.unlink"),
    ("artifact link k note.txt --version 1", "file.link"),
    ("artifact remove k {artifact} --yes", "artifact.delete"),
    ("artifact remove k note.txt --yes", "artifact.delete"),
    ("policy revoke {grant}", "grant.revoke"),
    ("trigger update {trigger} --off", "trigger.update"),
    ("trigger remove {trigger} --yes", "trigger.remove"),
    ("webhook update {webhook} --resting", "webhook.change"),
    ("webhook rotate {webhook}", "webhook.rotate"),
    ("webhook test {webhook}", "webhook.try"),
    ("webhook remove {webhook} --yes", "webhook.remove"),
    ("webhook redeliver {webhook} {delivery}", "webhook.redeliver"),
]


@pytest.fixture
def ids() -> dict[str, str]:
    """The ids of one thing of each kind, in a session of the team of somebody without rights."""
    User.objects.create_user("olga").groups.add(factories.team("default"))
    session = factories.session(key="k", team="default")
    run = asking.run(session)
    hook = webhooks.define(
        principal=OPERATOR, url="https://example.com/hook", events=["*"], team=session.team
    ).webhook
    said = conversation.say(
        principal=OPERATOR, session=session, draft=Utterance(content="hello", answers=False)
    ).message
    approval = asking.approval(run)
    found = {
        "approval": approval,
        "grant": Grant.objects.create(
            session=session, team=session.team, tool="orders.place", approval=approval
        ),
        "other": asking.approval(run),
        "run": run,
        "checkpoint": checkpoints.create(principal=OPERATOR, session=session),
        "message": said,
        "bookmark": bookmarks.create(
            principal=OPERATOR, session=session, mark=Mark(message=str(said.pk), is_shared=True)
        ).bookmark,
        "artifact": artifacts.create(
            principal=OPERATOR, session=session, name="note.txt", content=b"hello"
        ),
        "trigger": triggers.create(
            principal=OPERATOR, agent=asking.agent(), draft=TriggerDraft(schedule="0 9 * * *")
        ).trigger,
        "webhook": hook,
        "delivery": Delivery.objects.create(
            webhook=hook, session=session, seq=1, type="session.created"
        ),
    }
    return {name: str(one.pk) for name, one in found.items()}


@pytest.mark.parametrize(("line", "command"), VERBS)
def test_who_has_no_right_is_refused_and_the_audit_has_it(
    aegis, ids: dict[str, str], line: str, command: str
):
    words = line.format(**{name: one[:8] for name, one in ids.items()}).split()

    told = aegis(*words, "--as", "olga")

    refused = AuditEntry.objects.filter(outcome="refused")
    assert told.code == 4, told.err
    assert "error: PERMISSION_DENIED:" in told.err
    assert set(refused.values_list("command", "code")) == {(command, "PERMISSION_DENIED")}
    assert all(one.actor.startswith("user:olga (cli, ") and one.target for one in refused)


def test_what_is_out_of_sight_is_refused_by_the_command_too(aegis):
    User.objects.create_superuser("ann").groups.add(factories.team("desk"))
    User.objects.create_user("olga").groups.add(factories.team("desk"))
    approval = asking.approval(asking.run(factories.session(key="k", team="default")))

    told = aegis("approval", "approve", str(approval.pk), "--as", "olga")
    none = aegis("approval", "approve", "5f0c2a1b", "--as", "ann")

    entries = AuditEntry.objects.filter(outcome="refused").order_by("pk")
    assert (told.code, none.code) == (4, 3)
    assert list(entries.values_list("target", "code")) == [
        (str(approval.pk), "PERMISSION_DENIED"),
        ("5f0c2a1b", "APPROVAL_NOT_FOUND"),
    ]


# What is done to a session, and the command that it is.
ABOUT_A_SESSION = [
    *((f"session {verb} {{k}}", f"session.{verb}") for verb in ("start", "pause", "stop")),
    *((f"session {verb} {{k}}", f"session.{verb}") for verb in ("complete", "restart")),
    ("session end {k} --yes", "session.end"),
    ("session delete {k} --yes", "session.delete"),
    ("session fail {k} --error broken", "session.fail"),
    ("session assign {k} --to olga", "session.assign"),
    ("session attach {k} feed", "session.attach"),
    ("session tag {k} odd", "session.tag"),
    ("session untag {k} odd", "session.untag"),
    ("session note {k} seen", "bookmark.create"),
    ("session send {k} hello", "message.create"),
    ("session recover {k} latest", "session.recover"),
    ("session fork {k} latest", "session.fork"),
    ("session redrive {k}", "session.redrive"),
    ("session seek {k} 2024-08-08", "session.seek"),
    ("session step {k}", "session.step"),
    ("session speed {k} 5", "session.speed"),
    ("message say {k} hello", "message.create"),
    ("message edit {k} 5f0c2a1b again", "message.edit"),
    ("message choose {k} 5f0c2a1b", "message.choose"),
    ("checkpoint create {k}", "checkpoint.create"),
    ("checkpoint remove {k} latest --yes", "checkpoint.delete"),
    ("artifact link {k} note.txt", "file.link"),
    ("artifact link {k} note.txt --withdraw", "file.unlink"),
    ("artifact remove {k} note.txt --yes", "artifact.delete"),
    ("artifact write {k} note.txt", "artifact.create"),
    ("bookmark create {k} --seq 1", "bookmark.create"),
    ("component detach {k} feed", "component.detach"),
    ("component restart {k} feed", "component.restart"),
    ("runs start {k} --task look", "run.create"),
    ("trigger create assistant --session {k} --schedule 0_9_*_*_* --prompt look", "trigger.create"),
    ("webhook create https://example.com/a --session {k}", "webhook.define"),
    ("template from-session desk {k}", "template.from_session"),
]


@pytest.mark.parametrize(("line", "command"), ABOUT_A_SESSION)
def test_a_session_out_of_sight_is_refused_by_the_command_as_if_it_were_not_there(
    aegis, line: str, command: str
):
    User.objects.create_user("olga").groups.add(factories.team("desk"))
    there = factories.session(key="hidden", team="default")
    told = {
        name: aegis(
            *(word.format(k=name).replace("_", " ") for word in line.split()), "--as", "olga"
        )
        for name in (str(there.pk), str(there.pk)[:13], "hidden", "nowhere")
    }

    said = {name: (one.code, one.out, one.err.replace(name, "k")) for name, one in told.items()}
    entries = AuditEntry.objects.filter(outcome="refused").order_by("pk")
    assert said[str(there.pk)][0] == 3
    assert len(set(said.values())) == 1, said
    assert list(entries.values_list("command", "target", "code")) == [
        (command, name, "SESSION_NOT_FOUND") for name in told
    ]
    assert {one.session_id for one in entries} == {None}


def test_what_would_be_done_to_a_session_out_of_sight_is_no_command(aegis):
    factories.session(key="hidden", team="default")
    User.objects.create_user("olga").groups.add(factories.team("desk"))

    told = [
        aegis(*line.split(), "--dry-run", "--as", "olga").code
        for line in (
            "session end hidden",
            "component detach hidden feed",
            "artifact remove hidden note.txt",
            "checkpoint remove hidden latest",
        )
    ]

    assert told == [3, 3, 3, 3]
    assert not AuditEntry.objects.filter(outcome="refused").exists()
