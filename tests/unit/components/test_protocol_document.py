import re
from pathlib import Path

from components.core import frames
from streaming.core import inbound, position
from streaming.core.errors import CloseCode

DOCUMENT = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_chain_of_the_document_can_be_recomputed():
    (line,) = re.findall(r"For topic `t` and epoch `0000000000000001`.*", DOCUMENT)

    written = re.findall(r"`([0-9a-f]{16})`", line)[1:]

    start = position.genesis("t", "0000000000000001")
    first = position.chain(start, 1, b'{"a":1}')
    second = position.chain(first, 2, b"[2]")
    assert written == [start.hex(), first.hex(), second.hex()]


def test_document_names_every_close_code():
    codes = {int(code) for code in re.findall(r"\b(1000|4[0-9]{3})\b", DOCUMENT)}

    assert codes == {code.value for code in CloseCode}


def test_document_names_every_command_of_a_component():
    commands = {*frames.READERS, *inbound.READERS, "PUBLISH"} - {"", "REGISTER"}

    assert [name for name in sorted(commands) if not re.search(rf"\b{name}\b", DOCUMENT)] == []
