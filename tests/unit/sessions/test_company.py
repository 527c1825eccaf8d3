import pytest

from sessions.core.company import participants
from sessions.core.lifecycle import Environment


@pytest.mark.parametrize(
    ("owner", "actors", "found"),
    [
        ("human-joel", [], ["human"]),
        ("ai-claude", [], ["ai"]),
        ("persona-sage", [], ["persona"]),
        ("somebody", [], ["human"]),
        ("human-", [], ["human"]),
        ("shared", [], []),
        ("", [], []),
        ("shared", ["user:joel", "agent:claude", "credential:tool"], ["human", "ai", "ai"]),
        ("shared", ["open:operator", "component:feed"], ["human", "ai"]),
        ("shared", ["system:lifecycle", "nonsense"], []),
        # Who speaks under the name that owns it is the same; a label says best what it is.
        ("human-joel", ["user:joel", "credential:joel"], ["human"]),
        ("ai-claude", ["agent:claude", "user:ann"], ["ai", "human"]),
        ("shared", ["credential:human-joel", "credential:persona-sage"], ["human", "persona"]),
    ],
)
def test_each_who_takes_part_has_one_word(owner: str, actors: list[str], found: list[str]):
    said = participants(owner=owner, actors=actors, environment=Environment.DEVELOPMENT)

    assert said == found


def test_where_personas_live_agents_are_some():
    said = participants(
        owner="sage", actors=["agent:claude", "user:ann"], environment=Environment.PERSONA
    )

    assert said == ["persona", "persona", "human"]
