"""BR3: the lines of curl of the pages about the dialects are answered as those pages say."""

import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.calling import Caller, caller

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
# By the number of the seed; those of 002 need a server (tests/contracts/test_seed_002.py).
PAGES = {
    "000": "commands.md",
    "001": "dialects.md",
    "003": "bus.md",
    "004": "conversations.md",
}

pytestmark = pytest.mark.django_db


class Line(NamedTuple):
    """A request as a page prints it; ``file`` is the name of one that it brings."""

    method: str
    address: str
    body: bytes
    file: str = ""


def lines(page: str) -> list[Line]:
    """The requests of a page, in their order."""
    blocks = "".join(BLOCK.findall((DOCS / page).read_text(encoding="utf-8")))
    words = [shlex.split(one) for one in blocks.replace("\\\n", " ").splitlines()]
    return [read(one[1:]) for one in words if one[:1] == ["curl"]]


def read(words: list[str]) -> Line:
    """The request that the words after ``curl`` are."""
    given: dict[str, str] = {}
    address = ""
    rest = iter(words)
    for word in rest:
        if word in {"-d", "-X", "-H", "-F"}:
            given[word] = next(rest)
        else:
            address = word.removeprefix("$URL")
    method = given.get("-X", "POST" if {"-d", "-F"} & given.keys() else "GET")
    file = given.get("-F", "").partition("=@")[2]
    return Line(method, address, given.get("-d", "").encode(), file)


def asked(program: Caller, line: Line, made: str) -> Any:
    """What a line is answered; what it calls ID was made before it."""
    if line.file:
        form = {"file": SimpleUploadedFile(line.file, b"time,price\n1,2\n")}
        return program.client.post(line.address, form, headers=program.headers)
    body = line.body.replace(b'"ID"', f'"{made}"'.encode())
    return program.send(line.method, line.address, body)


def ids(answer: Any) -> str:
    """The id of what was made."""
    return str(answer.get("data", answer).get("sessionId", ""))


@pytest.mark.parametrize("seed", PAGES)
def test_br3_each_example_of_a_dialect_is_answered_as_its_page_says(seed: str):
    program: Caller = caller()
    found = lines(PAGES[seed])
    assert found

    made = ""
    for line in found:
        answer = asked(program, line, made)
        said = answer.json()

        assert answer.status_code in {200, 201, 202}, (line, said)
        assert said.get("success", True) is True, (line, said)
        assert said.get("status") != "error", (line, said)
        made = ids(said) or made


def test_lines_are_read_as_a_shell_reads_them():
    line = read(["-H", "A: b", "-d", '{"a": 1}', "$URL/x"])

    assert line == Line("POST", "/x", b'{"a": 1}')
    assert read(["$URL/y?a=b"]) == Line("GET", "/y?a=b", b"")
    assert read(["-F", "file=@a.csv", "$URL/z"]) == Line("POST", "/z", b"", "a.csv")
