"""A topic as a file, over HTTP and at the command line, beside a running server."""

import json
import subprocess
import sys

import httpx2
import pytest

from streaming.core import position
from tests.e2e.places import DAPHNE, SQLITE
from tests.serving import ROOT

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.parametrize("anywhere", [SQLITE, DAPHNE], indirect=True, scope="module"),
]

SESSIONS = "/api/v1/sessions"
TOPIC = "trades.BTC"
COUNT = 2500
RULES = {"config": {"topics": [{"pattern": "**", "recorded": True, "retention": {"records": 100}}]}}


@pytest.fixture(scope="module")
def server(anywhere):
    with anywhere.serve() as running:
        yield running


@pytest.fixture(scope="module")
def web(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def session(web):
    made = web.post(SESSIONS, json=RULES).json()["id"]
    for start in range(0, COUNT, 500):
        records = [
            {"data": {"p": n, "q": f"{n}.10"}, "ts": 1000 + n} for n in range(start, start + 500)
        ]
        answer = web.post(f"{SESSIONS}/{made}/topics/{TOPIC}", json={"records": records})
        assert answer.status_code == 201, answer.text
    return made


def export(web, session, **query):
    return web.get(f"{SESSIONS}/{session}/topics/{TOPIC}/export", params=query)


def test_a_file_has_all_records_memory_and_tape_with_a_chain_that_proves_them(web, session):
    answer = export(web, session)

    lines = [json.loads(line) for line in answer.text.splitlines()]
    ck = position.genesis(TOPIC, lines[0]["epoch"])
    for seq, line in enumerate(answer.content.splitlines(), 1):
        ck = position.chain(ck, seq, line[line.index(b'"data":') + 7 : -1])
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="{session}-{TOPIC}.ndjson"'
    )
    assert [line["seq"] for line in lines] == list(range(1, COUNT + 1))
    assert lines[-1]["ck"] == ck.hex()
    assert answer.headers["aegis-records"] == str(COUNT)


def test_a_table_has_a_column_for_each_member(web, session):
    answer = export(web, session, format="csv", **{"from": "2000"}, to="2001")

    assert answer.headers["content-type"] == "text/csv"
    assert answer.text.splitlines() == [
        "seq,ts,p,q,data",
        "1001,2000,1000,1000.10,",
        "1002,2001,1001,1001.10,",
    ]


def test_what_follows_a_position_is_had_alone(web, session):
    line = json.loads(export(web, session).text.splitlines()[-3])
    held = f"{line['epoch']}:{line['seq']}:{line['ck']}"

    proven = export(web, session, after=held)
    foreign = export(web, session, after=f"{'0' * 16}:7:{'0' * 16}")

    assert len(proven.text.splitlines()) == int(proven.headers["aegis-records"]) == 2
    assert "aegis-notice" not in proven.headers
    assert json.loads(foreign.headers["aegis-notice"])["kind"] == "unknown"
    assert len(foreign.text.splitlines()) == COUNT


def test_who_may_not_read_gets_no_file(web, server, session):
    with httpx2.Client(base_url=server.url, timeout=30, trust_env=False) as nobody:
        unknown = export(nobody, session)

    assert unknown.status_code == 401
    assert export(web, session, format="xml").status_code == 400
    assert export(web, session, **{"from": "soon"}).status_code == 400
    assert web.get(f"{SESSIONS}/{session}/topics/none/export").status_code == 404


def on_the_command_line(server, session, *more):
    command = [sys.executable, "manage.py", "aegis", "topic", "export", TOPIC, "--session", session]
    return subprocess.run(
        [*command, *more], cwd=ROOT, env=server.environment, check=False
    ).returncode


def test_the_command_line_writes_the_same(web, server, session, tmp_path):
    file = tmp_path / "trades.csv"

    assert on_the_command_line(server, session, "--format", "csv", "--output", str(file)) == 0

    assert file.read_bytes() == export(web, session, format="csv").content
    assert len(file.read_text().splitlines()) == COUNT + 1


def test_the_command_line_writes_a_file_whole_or_not_at_all(web, server, session, tmp_path):
    file = tmp_path / "trades.ndjson"
    range_ = ("--from", "2000", "--to", "-1h")

    assert on_the_command_line(server, session, *range_, "--output", str(file)) == 0
    assert on_the_command_line(server, session, "--after", "no", "--output", str(file)) == 2
    assert on_the_command_line(server, session, "--output", "/dev/full") == 2

    assert file.read_text() == export(web, session, **{"from": "2000"}).text
    assert [path.name for path in tmp_path.iterdir()] == ["trades.ndjson"]


def test_a_session_is_brought_in_while_lines_say_how_far_it_is(web, session):
    capsule = web.get(f"{SESSIONS}/{session}/capsule").content
    how = {"Accept": "application/x-ndjson", "Idempotency-Key": f"again {session}"}

    def bring():
        return web.stream("POST", f"{SESSIONS}/import", files={"file": ("c", capsule)}, headers=how)

    with bring() as answer:
        lines = [json.loads(line) for line in answer.iter_lines()]
    with bring() as answer:
        again = [json.loads(line) for line in answer.iter_lines()][-1]

    rows = [one for one in lines if one.get("stage") == "rows"]
    assert [one["stage"] for one in lines[:-1]] == sorted(one["stage"] for one in lines[:-1])
    assert rows[-1]["done"] == rows[-1]["total"] > 0
    assert (lines[-1]["status"], again) == (201, {**lines[-1], "replayed": True})
    assert web.get(f"{SESSIONS}/{lines[-1]['data']['id']}").json()["state"] == "created"
