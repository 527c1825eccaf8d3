import io
import json
import os
import sys
from pathlib import Path

import pytest

from sessions.management import completing

START = {
    "options": {"--help": None, "--wait": ["running", "paused"], "--tag": "tag", "--json": None},
    "arguments": [{"kind": "session", "many": True}],
}
SHOW = {
    "options": {"--help": None},
    "arguments": [
        {"kind": "session", "many": False},
        {"kind": ["a", "b"], "many": False},
    ],
}
CACHE = {
    "commands": {
        "session": {"start": START, "state": SHOW},
        "search": {"options": {"--help": None}, "arguments": []},
    },
    "values": {"session": ["newest", "next", "older"], "tag": ["work"]},
}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("se", ["session", "search"]),
        ("", ["session", "search"]),
        ("session st", ["start", "state"]),
        ("session start ne", ["newest", "next"]),
        ("session start newest ", ["newest", "next", "older"]),
        ("session start --json ol", ["older"]),
        ("session start --wait ", ["running", "paused"]),
        ("session start --wait running ne", ["newest", "next"]),
        ("session start --tag w", ["work"]),
        ("session start --json --", ["--help", "--wait", "--tag"]),
        ("session state newest ", ["a", "b"]),
        ("session state newest a ", []),
        ("search x", []),
        ("nothing x", []),
        ("session nothing x", []),
    ],
)
def test_candidates_are_what_may_stand_there(line: str, found: list[str]):
    *words, current = line.split(" ")

    assert completing.candidates(CACHE, words, current) == found


def test_it_answers_from_the_cache_and_has_an_old_one_made_anew_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cache, made = tmp_path / "cache", tmp_path / "made"
    code = f"import os; os.mkdir({str(made)!r})"
    refresh = json.dumps([sys.executable, "-I", "-S", "-c", code])
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)

    completing.main(str(cache), refresh, ["session", "st"])
    child = os.wait()[1]
    cache.write_text(json.dumps(CACHE))
    os.utime(cache, (0, 0))
    completing.main(str(cache), refresh, ["session", "st"])

    assert (child, made.is_dir()) == (0, True)
    assert out.getvalue() == "start\nstate"
