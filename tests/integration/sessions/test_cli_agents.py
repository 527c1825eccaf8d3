import pytest

from sessions.models import Agent
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


def test_an_agent_is_created_changed_listed_and_removed(aegis):
    made = aegis(
        "agent", "create", "analyst", "--model", "scripted:echo", "--tool", "memory_*",
        "--model-settings", '{"temperature": 0.5}', "--instructions", "Be brief.",
    )  # fmt: skip
    changed = aegis("agent", "update", "analyst", "--name", "The analyst", "--resting", "--json")
    listed = aegis("agent", "list")
    shown = aegis("agent", "show", "analyst", "--json").document
    planned = aegis("agent", "remove", "analyst", "--dry-run", "-q")
    removed = aegis("agent", "remove", "analyst", "nobody", "--yes", "-q")

    assert made.out == "analyst  scripted:echo  analyst\n"
    assert changed.document["schema"] == "aegis.agent.update/1"
    assert changed.document["data"]["version"] == 2
    assert [line.split()[:4] for line in listed.out.splitlines()[1:]] == [
        ["assistant", "default", "public", "–"],
        ["analyst", "scripted:echo", "resting", "–"],
    ]
    assert shown["data"] == changed.document["data"]
    assert (shown["data"]["tools"], shown["data"]["settings"]) == (
        ["memory_*"],
        {"temperature": 0.5},
    )
    assert (planned.out, removed.out, removed.code) == ("analyst\n", "analyst\n", 7)
    assert list(Agent.objects.values_list("slug", flat=True)) == ["assistant"]


def test_an_agent_is_given_to_a_team(aegis):
    factories.team("mine")

    aegis("agent", "create", "a", "--team", "mine", "--visibility", "private")
    aegis("agent", "update", "a", "--model-settings", "{}", "--active")

    row = Agent.objects.get(slug="a")
    assert row.team is not None
    assert (row.team.name, row.visibility, row.version) == ("mine", "private", 2)


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["show", "nobody"], 3, "next: aegis agent list"),
        (["create", "assistant"], 5, "AGENT_ALREADY_EXISTS"),
        (["create", "a", "--model", "nonsense"], 2, "VALIDATION_ERROR"),
        (["create", "a", "--model-settings", "[1]"], 2, "--model-settings"),
        (["remove", "assistant", "--yes"], 5, "INVALID_STATE"),
    ],
)
def test_what_cannot_be_is_told(aegis, words, exit_code, said):
    aegis("agent", "list")

    ended = aegis("agent", *words)

    assert ended.code == exit_code
    assert said in ended.err


def test_an_agent_of_the_team_is_created_changed_and_removed_at_another_server(far):
    write = ("agents:read", "agents:write")

    made = far("agent", "create", "analyst", "--model", "scripted:echo", "--tool", "add_artifact",
               "--model-settings", '{"temperature": 0}', "--json", scopes=write)  # fmt: skip
    changed = far("agent", "update", "analyst", "--resting", "--visibility", "internal",
                  scopes=write)  # fmt: skip
    listed = far("agent", "list", scopes=write)
    shown = far("agent", "show", "analyst", "--fields", "slug,is_active", scopes=write)
    taken = far("agent", "create", "analyst", scopes=write)
    unsure = far("agent", "remove", "analyst", scopes=write)
    refused = far("agent", "remove", "analyst", "--yes")
    removed = far("agent", "remove", "analyst", "nobody", "--yes", "-q", scopes=write)

    assert made.document["data"]["settings"] == {"temperature": 0}
    assert (made.document["data"]["tools"], made.document["data"]["name"]) == (
        ["add_artifact"],
        "analyst",
    )
    assert changed.out == "analyst  scripted:echo  analyst  (resting)\n"
    assert ["analyst", "scripted:echo", "resting"] in [
        line.split()[:3] for line in listed.out.splitlines()
    ]
    assert shown.out.splitlines()[1].split() == ["analyst", "false"]
    assert (taken.code, unsure.code, refused.code) == (5, 2, 4)
    assert (removed.code, removed.out) == (7, "analyst\n")
