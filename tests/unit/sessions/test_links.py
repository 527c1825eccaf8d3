from uuid import UUID

import pytest

from sessions.core import links
from sessions.core.links import Kind, Link

FILE, SESSION = UUID(int=7), UUID(int=8)


def signed(key: str = "k", **other) -> Link:
    said = {"session": SESSION, "until": 1000, "withdrawn": 0}
    return links.sign(Kind.ARTIFACT, FILE, key=key, **{**said, **other})


def holds(link: Link, **other) -> bool:
    said = {"session": SESSION, "withdrawn": 0, "keys": ["k"], "now": 999.9}
    return links.holds(link, **{**said, **other})


def test_a_link_is_read_as_it_was_written():
    link = signed()

    assert links.read(str(link)) == link
    assert (link.kind, link.file, link.until, len(link.sign)) == ("artifact", FILE, 1000, 32)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        str(signed()).upper(),
        str(signed()) + "\n",
        str(signed()).replace("artifact", "x"),
    ],
)
def test_what_is_no_link_is_none(text: str):
    assert links.read(text) is None


def test_a_link_holds_until_its_time():
    assert holds(signed())
    assert not holds(signed(), now=1000.0)


def test_a_link_holds_for_one_file_of_one_session_alone():
    link = signed()

    assert not holds(link, session=UUID(int=9))
    assert not holds(link._replace(file=UUID(int=9)))
    assert not holds(link._replace(kind=Kind.ATTACHMENT))
    assert not holds(link._replace(until=2000))
    assert not holds(link._replace(sign="0" * 32))


def test_a_link_that_was_withdrawn_does_not_hold():
    assert not holds(signed(), withdrawn=1)
    assert holds(signed(withdrawn=1), withdrawn=1)


def test_a_link_that_a_former_key_signed_holds():
    assert holds(signed("old"), keys=["k", "old"])
    assert not holds(signed("old"))
