"""A session as one file: made, proven, brought in elsewhere, refused."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aegis_project.kit.errors import AegisError, PayloadTooLarge, PermissionDenied, ValidationFailed
from components.services.registry import Expected
from sessions.core import capsule
from sessions.core.capsule import REDACTED
from sessions.core.errors import SessionAlreadyExists
from sessions.core.lifecycle import State
from sessions.files import storage
from sessions.files.capsules import Reader
from sessions.models import Artifact, Attachment, Run, Session, ToolCall
from sessions.selectors import checkpoints as reading
from sessions.services import (
    artifacts,
    attachments,
    capsules,
    checkpoints,
    conversation,
    forks,
    lifecycle,
    recovery,
    steps,
    tool_calls,
    uploads,
)
from sessions.services.conversation import Utterance
from streaming.models import Log, Record
from streaming.services import ledger
from tests import asking, factories
from tests.factories import OPERATOR
from tests.integration.sessions import tools_help, working_help
from tests.integration.sessions.test_review import recorded
from tests.integration.sessions.test_run_cost import SAID

pytestmark = pytest.mark.django_db

KEPT = Path(__file__).parent / "capsule.zip"
"""Written on SQLite; what other databases make of it has to have the same digest."""
DIGEST = "a466b117575fc92fa000d55e85a841b8dbf471dd85c7f895f1184c26a435cc09"


def lived() -> Session:
    """A session in which something of everything happened, and that is over."""
    session = factories.session_in(
        State.RUNNING,
        key="desk",
        memory={"n": 1.0, "api_key": "hidden"},
        config={"password": "hidden", "max_output_tokens": 5},
    )
    file = attachments.upload(
        principal=OPERATOR, session=session, filename="a.txt", content=b"hello"
    )
    say = Utterance("Well?", answers=False, attachments=[file.pk])
    conversation.say(principal=OPERATOR, session=session, draft=say)
    artifacts.create(principal=OPERATOR, session=session, name="out/b.txt", content=b"made")
    run, own = working_help.admitted(session), working_help.claimed()
    [call] = tools_help.request(run, tools_help.asked("look", {"token": "hidden", "at": 1e16}))
    tool_calls.start(call.pk, run_id=run.pk, fence=own.fence)
    tool_calls.finish(call.pk, run_id=run.pk, fence=own.fence, result={"seen": "ü"})
    checkpoints.create(principal=OPERATOR, session=session, label="kept")
    asking.approval(asking.run(session))
    recorded(session)
    lifecycle.stop(principal=OPERATOR, session=session)
    return session


def exported(session: Session) -> tuple[bytes, capsule.Manifest]:
    file = io.BytesIO()
    found = capsules.export(principal=OPERATOR, session=session, file=file)
    return file.getvalue(), found.manifest


def brought(raw: bytes, **more: Any) -> Session:
    return capsules.bring(principal=OPERATOR, capsule=Reader(io.BytesIO(raw)), **more).session


def removed(session: Session) -> None:
    """As on a database that has never heard of it."""
    Session.objects.filter(pk=session.pk).delete()


def counts(session: Session) -> dict[str, int]:
    kinds = ("messages", "runs", "tool_calls", "approvals", "attachments", "artifacts")
    return {kind: getattr(session, kind).count() for kind in kinds}


def test_a_capsule_comes_back_as_it_was_under_the_same_ids():
    session = lived()
    raw, manifest = exported(session)
    before, events = counts(session), [one.body for one in factories.ledger(session)]
    removed(session)

    again = brought(raw)

    assert (again.pk, again.key, again.state) == (session.pk, "desk", "stopped")
    assert counts(again) == before
    assert [one.body for one in factories.ledger(again)] == events
    assert ledger.chain_is_sound(Log.objects.ledger_of(again.pk).get())
    assert exported(again)[1].digest == manifest.digest
    [file] = Attachment.objects.filter(session=again)
    assert storage.read(file.path) == b"hello"
    [made] = Artifact.objects.filter(session=again)
    assert (made.name, storage.read(made.path)) == ("out/b.txt", b"made")


def test_beside_the_original_it_gets_ids_of_its_own_and_can_be_worked_with():
    session = lived()
    raw, _ = exported(session)
    before = counts(session)

    copy = brought(raw)

    assert copy.pk != session.pk
    assert copy.key == str(copy.pk)
    assert counts(copy) == counts(session) == before
    recovery.recover(principal=OPERATOR, session=copy, checkpoint="kept")
    child = forks.fork(principal=OPERATOR, session=copy, checkpoint="kept").session
    assert (child.parent_id, child.message_count) == (copy.pk, 1)
    run = Run.objects.filter(session=copy, state="cancelled").order_by("place").last()
    assert run is not None
    assert working_help.log(run)[-1].__class__.__name__ == "End"


def test_an_answer_has_the_id_of_its_run_wherever_it_is_brought():
    session = factories.session_in(State.RUNNING, key="desk")
    run, own = working_help.admitted(session), working_help.claimed()
    steps.record(run_id=own.run_id, fence=own.fence, step=SAID)
    lifecycle.stop(principal=OPERATOR, session=session)
    raw, manifest = exported(session)

    copy = brought(raw)
    removed(session)
    again = brought(raw)

    for made, pk in ((copy, None), (again, run.pk)):
        answered = Run.objects.get(session=made)
        assert answered.answer is not None
        assert (answered.answer_id, answered.answer.content) == (answered.pk, "It is so.")
        assert pk in {None, answered.pk}
    assert exported(again)[1].digest == manifest.digest


def test_secrets_stay_behind():
    session = lived()

    raw, _ = exported(session)

    members = zipfile.ZipFile(io.BytesIO(raw))
    text = b"".join(members.read(name) for name in members.namelist())
    assert b"hidden" not in text
    [row] = Reader(io.BytesIO(raw)).rows("session")
    assert row["memory"] == {"n": 1, "api_key": REDACTED}
    assert row["config"] == {"password": REDACTED, "max_output_tokens": 5}
    [call, *_] = Reader(io.BytesIO(raw)).rows("tool_calls")
    assert "hidden" not in json.dumps(call)


def test_what_was_open_is_closed_where_it_comes_in():
    session = factories.session_in(State.RUNNING, key="desk")
    tools_help.approved(asking.run(session))
    asking.approval(asking.run(session))
    factories.registered(session, "feed")
    raw, _ = exported(session)
    removed(session)

    again = brought(raw)

    assert again.state == "paused"
    assert set(again.runs.values_list("state", flat=True)) == {"cancelled"}
    assert set(again.tool_calls.values_list("state", flat=True)) == {"cancelled"}
    assert set(again.approvals.values_list("state", flat=True)) == {"cancelled"}
    assert factories.states(again) == {"feed": "stopped"}
    assert again.credentials.count() == 0


def test_a_key_that_was_asked_for_is_used_or_refused():
    raw, _ = exported(factories.session(key="desk"))

    assert brought(raw, key="mine").key == "mine"
    with pytest.raises(SessionAlreadyExists):
        brought(raw, key="desk")


def test_who_may_not_read_all_of_it_or_steer_gets_nothing():
    session = factories.session()
    raw, _ = exported(session)
    reader = factories.member(factories.team("default"), scopes=["sessions:read", "events:read"])
    writer = factories.member(factories.team("default"), scopes=["sessions:write"])

    with pytest.raises(PermissionDenied):
        capsules.export(principal=reader, session=session, file=io.BytesIO())
    with pytest.raises(PermissionDenied):
        capsules.bring(principal=writer, capsule=Reader(io.BytesIO(raw)))


def test_one_that_another_database_wrote_has_the_same_digest_here():
    raw = KEPT.read_bytes()

    again = brought(raw)

    assert again.key == "desk"
    assert Reader(io.BytesIO(raw)).manifest.digest == DIGEST
    assert exported(again)[1].digest == DIGEST
    assert reading.held(reading.find(OPERATOR, again, "kept")).memory["n"] == 1
    assert Record.objects.filter(log__session=again, log__name="prices.btc").count() == 5


# Hostile ones

Change = Callable[[dict[str, bytes]], None]


def members_of(raw: bytes) -> dict[str, bytes]:
    found = zipfile.ZipFile(io.BytesIO(raw))
    return {name: found.read(name) for name in found.namelist()}


def packed(members: dict[str, bytes], *, is_proven: bool = True) -> bytes:
    """A capsule of these members, with a manifest that fits them."""
    if is_proven:
        own = {name: raw for name, raw in members.items() if name != capsule.MANIFEST}
        told = json.loads(members[capsule.MANIFEST])
        listed = {
            name: capsule.Member(len(raw), hashlib.sha256(raw).hexdigest())
            for name, raw in own.items()
        }
        told["members"] = {
            name: {"size": one.size, "sha256": one.sha256} for name, one in listed.items()
        }
        told["digest"] = capsule.digest(listed)
        members = {**own, capsule.MANIFEST: json.dumps(told).encode()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, raw in members.items():
            made.writestr(name, raw)
    return file.getvalue()


def in_rows(table: str, **changes: Any) -> Change:
    """The first row of a table is another one."""

    def change(members: dict[str, bytes]) -> None:
        name = f"rows/{table}.ndjson"
        first, *rest = members[name].splitlines()
        row = {**json.loads(first), **changes}
        members[name] = b"\n".join([json.dumps(row).encode(), *rest, b""])

    return change


def member(name: str, raw: bytes | None) -> Change:
    def change(members: dict[str, bytes]) -> None:
        if raw is None:
            del members[name]
        else:
            members[name] = raw

    return change


NOBODY = "00000000-0000-4000-8000-000000000000"
PROVEN = {
    "another member": member("rows/../../x.ndjson", b""),
    "an absolute name": member("/etc/passwd", b""),
    "a strange state": in_rows("session", state="asleep"),
    "no state": in_rows("session", state=None),
    "a list for a document": in_rows("session", memory=[1]),
    "rules that cannot be": in_rows("session", config={"topics": 1}),
    "a key that cannot be": in_rows("session", key="../x"),
    "another member of a row": in_rows("session", team_id=1),
    "a message of another session": in_rows("attachments", message_id=NOBODY),
    "no id": in_rows("messages", id="1"),
    "a number beyond": in_rows("messages", place=2**40),
    "a message after itself": in_rows("messages", place=0),
    "a text that is too long": in_rows("components", name="x" * 200),
    "an event that says something else": in_rows("events", type="session.ended"),
    "an event that was changed": in_rows("events", body='{"seq":1}'),
    "no event": member("rows/events.ndjson", b""),
    "a record that was changed": in_rows("records", body="e30="),
    "a record that is no JSON": in_rows("records", body="e30"),
    "a log that cannot be": in_rows("logs", name="a b"),
    "a position that is none": in_rows("logs", ck="x"),
    "no ledger": member("rows/logs.ndjson", b""),
    "no session": member("rows/session.ndjson", b""),
    "no JSON": member("rows/messages.ndjson", b"{"),
    "no row": member("rows/messages.ndjson", b"[]\n"),
    "a snapshot that was changed": in_rows("snapshots", body='{"memory":{},"participants":[]}'),
    "a snapshot that is none": in_rows("snapshots", body="{}"),
    "a file of another size": in_rows("attachments", size=3),
    "a file that is not there": in_rows("attachments", sha256="0" * 64),
}


@pytest.mark.parametrize("name", PROVEN)
def test_what_is_proven_and_still_cannot_be_is_refused_whole(name: str):
    session = lived()
    members = members_of(exported(session)[0])
    if "components" in name or name == "a text that is too long":
        members["rows/components.ndjson"] = (
            b'{"capabilities":{},"created_at":"2026-01-01T00:00:00.000000+00:00","error":"","fence":0,'
            b'"id":"00000000-0000-4000-8000-000000000001","identified_at":null,'
            b'"last_heartbeat_at":null,"lost_at":null,"name":"x","proto":{},"ready_at":null,'
            b'"registered_at":null,"required":false,"role":"sink","running_at":null,'
            b'"state":"stopped","stopped_at":null,"subscribed_at":null,"topics":[],"version":""}\n'
        )
    removed(session)
    PROVEN[name](members)

    with pytest.raises(ValidationFailed):
        brought(packed(members))
    assert not Session.objects.filter(key="desk").exists()


UNPROVEN: dict[str, Change] = {
    "a changed row": in_rows("session", name="other"),
    "one member more": member("rows/more.ndjson", b""),
    "one member less": member("rows/runs.ndjson", None),
    "no manifest": member(capsule.MANIFEST, None),
    "another version": member(capsule.MANIFEST, b'{"format":"aegis.capsule","version":2}'),
    "another format": member(capsule.MANIFEST, b'{"format":"x","version":1}'),
    "no JSON": member(capsule.MANIFEST, b"x"),
}


@pytest.mark.parametrize("name", UNPROVEN)
def test_what_its_manifest_does_not_prove_is_refused(name: str):
    members = members_of(exported(factories.session())[0])
    UNPROVEN[name](members)

    with pytest.raises(ValidationFailed):
        brought(packed(members, is_proven=False))


def test_a_bomb_is_refused_before_it_is_unpacked():
    raw = bytearray(packed(members_of(exported(factories.session())[0])))
    # The directory says how large a member unpacks; nobody unpacks more of it.
    sizes = raw.index(b"PK\x01\x02") + 24
    raw[sizes : sizes + 4] = (0xFFFFFFF0).to_bytes(4, "little")

    with pytest.raises(PayloadTooLarge):
        brought(bytes(raw))


def test_a_file_of_equal_bytes_is_taken_away_and_brought_in():
    session = factories.session(key="desk")
    content = bytes(8 * 1024 * 1024)
    artifacts.create(principal=OPERATOR, session=session, name="zeros.bin", content=content)

    raw, manifest = exported(session)
    removed(session)

    assert len(raw) < len(content) // 400
    assert exported(brought(raw))[1].digest == manifest.digest
    assert uploads.MAX_BYTES <= capsule.MAX_FILE


@pytest.mark.parametrize("cut", [0, 10, 200, -40])
def test_what_is_cut_off_or_no_capsule_is_refused(cut: int):
    raw, _ = exported(factories.session())

    with pytest.raises(AegisError):
        brought(raw[:cut])


def test_whatever_byte_is_another_one_nothing_but_a_refusal_or_the_same_comes_of_it():
    session = factories.session(key="desk", expected=[Expected(name="feed")])
    raw, manifest = exported(session)
    removed(session)

    for place in range(0, len(raw), 97):
        changed = bytearray(raw)
        changed[place] ^= 0x15
        try:
            found = brought(bytes(changed))
        except AegisError:
            continue
        assert exported(found)[1].digest == manifest.digest
        removed(found)


def test_files_and_rows_of_tool_calls_are_there_once():
    session = lived()
    raw, manifest = exported(session)

    assert sum(name.startswith("files/") for name in manifest.members) == 2
    calls = list(Reader(io.BytesIO(raw)).rows("tool_calls"))
    assert len(calls) == ToolCall.objects.filter(session=session).count()


@pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning")
def test_the_command_line_writes_and_reads_one(aegis: Any, tmp_path: Path):
    session = factories.session(key="desk", name="Desk")
    file = tmp_path / "desk.capsule"

    written = aegis("session", "export", "desk", "-o", str(file), "--json").document["data"]
    taken = aegis("session", "import", str(file), "--key", "desk")
    made = aegis("session", "import", str(file), "--key", "again")
    nothing = aegis("session", "import", str(tmp_path / "no.capsule"))
    nowhere = aegis("session", "export", "desk", "-o", str(tmp_path / "no" / "file"))

    assert (written["session"], written["size"]) == (str(session.pk), file.stat().st_size)
    assert len(written["digest"]) == 64
    assert [one.name for one in tmp_path.iterdir()] == ["desk.capsule"]
    assert (taken.code, made.out) == (5, "○ created  again  Desk\n")
    assert (nothing.code, nowhere.code) == (2, 2)
