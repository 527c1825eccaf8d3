import json

import pytest

from components.models import Component
from sessions.core import presets as system
from sessions.models import Message, Preset, PresetVersion, Session
from sessions.services import conversation, lifecycle
from sessions.services.conversation import Utterance
from streaming.models import AuditEntry
from tests import factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

TEMPLATES = "/api/v1/templates"
RECIPE = {
    "kind": "stream",
    "environment": "test",
    "agent": "assistant",
    "name": "Prices",
    "components": [{"name": "prices", "role": "feed", "topics": ["klines.**"]}],
    "messages": [{"role": "system", "content": "Be brief."}],
    "prompts": ["What moved?"],
    "tags": ["work", "Fresh One"],
    "context": {"symbol": "BTC", "depth": 5},
    "config": {"policy": "manual", "topics": [{"pattern": "klines.**", "recorded": True}]},
}
ORDER = {"slug": "desk", "name": "Desk", "recipe": RECIPE, "note": "first"}


def slugs(answer) -> set[str]:
    return {one["slug"] for one in answer.json()["data"]}


def test_those_of_the_system_load_by_themselves_once(program: Caller):
    first, second = program.get(f"{TEMPLATES}?limit=200"), program.get(f"{TEMPLATES}?limit=200")

    assert slugs(first) == {one.slug for one in system.SYSTEM}
    assert second.json() == first.json()
    assert PresetVersion.objects.count() == len(system.SYSTEM)
    assert {one["is_system"] for one in first.json()["data"]} == {True}


def test_those_of_the_system_are_read_only(program: Caller):
    refused = [
        program.patch(f"{TEMPLATES}/learning", {"name": "Mine"}),
        program.post(f"{TEMPLATES}/learning/activate", {"version": 1}),
        program.delete(f"{TEMPLATES}/learning"),
    ]

    assert {code(one) for one in refused} == {(403, "PERMISSION_DENIED")}
    assert code(program.post(TEMPLATES, {**ORDER, "slug": "learning"})) == (
        409,
        "TEMPLATE_ALREADY_EXISTS",
    )


def test_a_later_aegis_brings_a_new_version_and_leaves_what_is_somebodys_own(program: Caller):
    program.get(TEMPLATES)
    Preset.objects.filter(slug="learning").update(version=0, head=0)
    Preset.objects.filter(slug="brainstorm").update(is_system=False, name="Own", head=0)

    program.get(TEMPLATES)

    assert Preset.objects.get(slug="learning").version == 1
    assert Preset.objects.get(slug="brainstorm").name == "Own"


@pytest.mark.parametrize("slug", [one.slug for one in system.SYSTEM])
def test_each_of_the_system_yields_a_session_that_starts_and_runs(slug: str, program: Caller):
    made = program.post(f"{TEMPLATES}/{slug}/apply", {"key": "k"})
    started = program.post("/api/v1/sessions/k/start", {})

    assert made.status_code == 201
    assert (started.status_code, started.json()["state"]) == (200, "running")
    assert (made.json()["template"], made.json()["template_version"]) == (slug, 1)


def test_a_template_is_made_read_changed_and_removed(program: Caller):
    made = program.post(TEMPLATES, ORDER)
    renamed = program.patch(f"{TEMPLATES}/desk", {"name": "Our desk", "category": "streams"})
    second = program.patch(
        f"{TEMPLATES}/desk",
        {"recipe": {**RECIPE, "name": "Others"}, "note": "another name"},
        if_match=made["ETag"],
    )
    stale = program.patch(f"{TEMPLATES}/desk", {"recipe": RECIPE}, if_match=made["ETag"])
    versions = program.get(f"{TEMPLATES}/desk/versions").json()["data"]
    removed = program.delete(f"{TEMPLATES}/desk")

    assert (made.status_code, made["Location"], made["ETag"]) == (201, f"{TEMPLATES}/desk", '"1"')
    assert (made.json()["version"], made.json()["head"], made.json()["team"]) == (1, 1, "default")
    assert (renamed.json()["name"], renamed.json()["category"]) == ("Our desk", "streams")
    assert (second.json()["version"], second.json()["head"], second["ETag"]) == (2, 2, '"2"')
    assert code(stale) == (412, "PRECONDITION_FAILED")
    assert [(one["version"], one["is_active"], one["note"]) for one in versions] == [
        (2, True, "another name"),
        (1, False, "first"),
    ]
    assert versions[1]["recipe"]["tags"] == ["work", "Fresh One"]
    assert (removed.status_code, code(program.get(f"{TEMPLATES}/desk"))) == (
        204,
        (404, "TEMPLATE_NOT_FOUND"),
    )
    told = AuditEntry.objects.filter(target="desk", outcome="ok").order_by("pk")
    assert list(told.values_list("command", flat=True)) == [
        "template.create",
        "template.change",
        "template.change",
        "template.remove",
    ]


def test_versions_are_compared_and_an_older_one_is_put_back_in_use(program: Caller):
    program.post(TEMPLATES, ORDER)
    other = {**RECIPE, "name": "Others", "context": {"symbol": "ETH", "new": 1}}
    program.patch(f"{TEMPLATES}/desk", {"recipe": other})

    found = program.get(f"{TEMPLATES}/desk/diff?before=1").json()
    back = program.post(f"{TEMPLATES}/desk/activate", {"version": 1})
    one = program.get(f"{TEMPLATES}/desk/versions/2").json()

    assert (found["before"], found["after"]) == (1, 2)
    assert [(row["path"], row["kind"], row["after"]) for row in found["data"]] == [
        ("/context/depth", "removed", None),
        ("/context/new", "added", 1),
        ("/context/symbol", "changed", "ETH"),
        ("/name", "changed", "Others"),
    ]
    assert (back.json()["version"], back.json()["head"], one["is_active"]) == (1, 2, False)
    for address in (
        "diff?before=9",
        "versions/9",
        "versions/x",
        "versions/9999999999",
        "export?version=9",
    ):
        assert code(program.get(f"{TEMPLATES}/desk/{address}")) == (404, "TEMPLATE_NOT_FOUND")
    assert code(program.post(f"{TEMPLATES}/desk/activate", {"version": 3})) == (
        404,
        "TEMPLATE_NOT_FOUND",
    )


def test_a_session_of_a_template_has_all_that_it_says(program: Caller):
    program.post(TEMPLATES, ORDER)

    made = program.post(
        f"{TEMPLATES}/desk/apply",
        {
            "key": "k",
            "context": {"symbol": "ETH"},
            "components": [{"name": "sink", "required": False}],
            "tags": ["mine"],
            "token": True,
        },
    )

    document = made.json()
    assert made.status_code == 201
    assert document["session_token"].startswith("aeg_")
    wanted = {
        "name": "Prices",
        "kind": "stream",
        "environment": "test",
        "agent": "assistant",
        "context": {"symbol": "ETH", "depth": 5},
        "config": RECIPE["config"],
        "tags": ["work", "fresh-one", "mine"],
        "template": "desk",
        "template_version": 1,
        "message_count": 1,
        "component_count": 2,
        "state": "created",
    }
    assert {name: document[name] for name in wanted} == wanted
    session = Session.objects.get(key="k")
    parts = Component.objects.of_session(session.pk).order_by("created_at")
    assert list(parts.values_list("name", "role", "required", "topics")) == [
        ("prices", "feed", True, ["klines.**"]),
        ("sink", "observer", False, []),
    ]
    said = Message.objects.of_session(session.pk).values_list("role", "content", "author")
    assert list(said) == [("system", "Be brief.", "credential:default")]
    used = Preset.objects.get(slug="desk")
    assert (used.use_count, used.last_used_at is not None) == (1, True)


def test_a_template_that_changes_leaves_its_sessions_as_they_are(program: Caller):
    program.post(TEMPLATES, ORDER)
    program.post(f"{TEMPLATES}/desk/apply", {"key": "old"})
    program.patch(f"{TEMPLATES}/desk", {"recipe": {**RECIPE, "context": {"symbol": "ETH"}}})

    program.post(f"{TEMPLATES}/desk/apply", {"key": "new"})
    program.post(f"{TEMPLATES}/desk/apply", {"key": "as-before", "version": 1})
    program.delete(f"{TEMPLATES}/desk")

    assert list(
        Session.objects.order_by("created_at").values_list("key", "template_version", "context")
    ) == [
        ("old", 1, RECIPE["context"]),
        ("new", 2, {"symbol": "ETH"}),
        ("as-before", 1, RECIPE["context"]),
    ]


def test_what_fails_in_a_session_of_a_template_leaves_nothing(program: Caller):
    program.post(TEMPLATES, ORDER)
    program.post(f"{TEMPLATES}/desk/apply", {"key": "k"})

    twice = program.post(f"{TEMPLATES}/desk/apply", {"key": "k"})
    wrong = program.post(f"{TEMPLATES}/desk/apply", {"config": {"max_messages": 1}})
    many = program.post(f"{TEMPLATES}/desk/apply", {"tags": [str(n) for n in range(20)]})

    assert code(twice) == (409, "SESSION_ALREADY_EXISTS")
    assert (code(wrong), code(many)) == ((400, "VALIDATION_ERROR"),) * 2
    assert Session.objects.count() == Preset.objects.get(slug="desk").use_count == 1


def test_a_template_is_made_from_a_session_and_its_first_messages(program: Caller):
    program.post(TEMPLATES, ORDER)
    program.post(f"{TEMPLATES}/desk/apply", {"key": "k"})
    session = Session.objects.get(key="k")
    for text in ("one", "two"):
        draft = Utterance(text, answers=False)
        conversation.say(principal=OPERATOR, session=session, draft=draft)

    made = program.post(
        f"{TEMPLATES}/from-session", {"slug": "copy", "session": "k", "messages": 2}
    )
    recipe = program.get(f"{TEMPLATES}/copy/export").json()["recipe"]
    again = program.post(f"{TEMPLATES}/copy/apply", {"key": "again"}).json()

    assert made.status_code == 201
    assert recipe["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
    ]
    first = program.get("/api/v1/sessions/k").json()
    alike = ("name", "kind", "mode", "environment", "agent", "context", "config", "tags")
    assert {name: again[name] for name in alike} == {name: first[name] for name in alike}
    missing = program.post(f"{TEMPLATES}/from-session", {"slug": "x", "session": "nothing"})
    assert code(missing) == (404, "SESSION_NOT_FOUND")
    blind = caller(["templates:write", "templates:read", "sessions:read"])
    refused = blind.post(f"{TEMPLATES}/from-session", {"slug": "x", "session": "k", "messages": 1})
    assert code(refused) == (403, "PERMISSION_DENIED")


def test_what_is_exported_is_imported_elsewhere_and_equal(program: Caller):
    program.post(TEMPLATES, ORDER)
    exported = program.get(f"{TEMPLATES}/desk/export")
    program.delete(f"{TEMPLATES}/desk")

    imported = program.post(f"{TEMPLATES}/import", exported.json())

    assert exported.json()["format"] == "aegis.template/1"
    assert imported.status_code == 201
    assert program.get(f"{TEMPLATES}/desk/export").json() == exported.json()
    assert code(program.post(f"{TEMPLATES}/import", exported.json())) == (
        409,
        "TEMPLATE_ALREADY_EXISTS",
    )
    wrong = {**exported.json(), "format": "another"}
    assert code(program.post(f"{TEMPLATES}/import", wrong)) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": "Two Words"},
        {"slug": "import"},
        {"recipe": {"unknown": 1}},
        {"recipe": {"config": {"max_messages": 1}}},
        {"recipe": {"components": [{"name": "a"}, {"name": "a"}]}},
        {"recipe": {"context": {"large": 1e40}}},
        {"name": "a\x00b"},
        {"category": "party"},
    ],
)
def test_a_template_that_cannot_be_is_refused(program: Caller, wrong):
    assert code(program.post(TEMPLATES, {**ORDER, **wrong})) == (400, "VALIDATION_ERROR")


def test_templates_are_of_teams_and_scopes(program: Caller):
    program.post(TEMPLATES, ORDER)
    other, reader = caller(team="other"), caller(["templates:read"])

    assert "desk" not in slugs(other.get(f"{TEMPLATES}?limit=200"))
    for answer in (
        other.get(f"{TEMPLATES}/desk"),
        other.get(f"{TEMPLATES}/desk/versions"),
        other.post(f"{TEMPLATES}/desk/apply", {}),
        other.delete(f"{TEMPLATES}/desk"),
        program.get(f"{TEMPLATES}/nothing"),
    ):
        assert code(answer) == (404, "TEMPLATE_NOT_FOUND")
    assert code(other.post(TEMPLATES, {**ORDER, "slug": "x", "team": "default"})) == (
        403,
        "PERMISSION_DENIED",
    )
    assert reader.get(f"{TEMPLATES}/desk").status_code == 200
    for answer in (
        reader.post(TEMPLATES, ORDER),
        reader.delete(f"{TEMPLATES}/desk"),
        reader.post(f"{TEMPLATES}/desk/apply", {}),
        caller(["sessions:write"]).post(f"{TEMPLATES}/desk/apply", {}),
        caller(["sessions:read"]).get(TEMPLATES),
    ):
        assert code(answer) == (403, "PERMISSION_DENIED")


def test_the_templates_of_the_command_line(anywhere, tmp_path):
    recipe, file = tmp_path / "recipe.json", tmp_path / "desk.json"
    recipe.write_text(json.dumps(RECIPE))
    made = anywhere("template", "create", "desk", f"@{recipe}", "--name", "Desk")
    other = json.dumps({**RECIPE, "name": "Others"})
    changed = anywhere("template", "change", "desk", "--recipe", other, "--note", "n", "-q")
    compared = anywhere("template", "diff", "desk", "1")
    back = anywhere("template", "activate", "desk", "1")
    versions = anywhere("template", "versions", "desk", "-q")
    file.write_text(anywhere("template", "export", "desk", "--number", "1").out)
    imported = anywhere("template", "import", f"@{file}", "--slug", "copy")
    session = anywhere(
        "session", "create", "Mine", "--template", "copy", "--key", "k", "--tag", "own",
        "--context", '{"symbol": "ETH"}', "--json",
    ).document["data"]  # fmt: skip
    own = anywhere("template", "from-session", "third", "k", "--messages", "1", "--json").document
    shown = anywhere("template", "show", "third", "--json").document["data"]
    removed = anywhere("template", "remove", "desk", "learning", "--yes", "-q")

    assert (made.out, changed.out) == ("desk  version 1 of 1  Desk\n", "desk\n")
    assert compared.out.splitlines()[1].split() == ["/name", "changed", '"Prices"', '"Others"']
    assert (back.out, versions.out) == ("desk  version 1 of 2  Desk\n", "2\n1\n")
    assert imported.out == "copy  version 1 of 1  Desk\n"
    assert (session["name"], session["context"], session["template"]) == (
        "Mine",
        {"symbol": "ETH", "depth": 5},
        "copy",
    )
    assert session["tags"] == ["work", "fresh-one", "own"]
    assert own["schema"] == "aegis.template.from-session/1"
    assert shown["recipe"]["messages"] == RECIPE["messages"]
    assert (removed.out, removed.code) == ("desk\n", 7)
    listed = anywhere("template", "list").out
    assert "market-stream" in listed
    assert ("every team" in listed) == (listed.count("default") == 0)


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["template", "show", "nothing"], 3, "next: aegis template list"),
        (["template", "create", "desk", "[1]"], 2, "takes a JSON object"),
        (["template", "import", "{}"], 2, "aegis.template/1"),
        (["session", "create", "--template", "learning", "--kind", "chat"], 2, "--kind"),
        (["template", "activate", "learning", "1"], 4, "PERMISSION_DENIED"),
    ],
)
def test_what_cannot_be_is_told_at_the_command_line(anywhere, words, exit_code, said):
    ended = anywhere(*words)

    assert ended.code == exit_code
    assert said in ended.err


def test_tags_are_put_on_a_session_that_is_made_at_the_command_line(anywhere):
    made = anywhere("session", "create", "--key", "k", "--tag", "work", "--json").document["data"]

    assert made["tags"] == ["work"]


def test_a_session_of_a_template_that_was_run_may_be_a_template(program: Caller):
    session = factories.session(key="k", team="default")
    lifecycle.start(principal=OPERATOR, session=session)

    made = program.post(f"{TEMPLATES}/from-session", {"slug": "copy", "session": "k"})

    assert made.status_code == 201


def test_a_session_is_made_of_a_template_where_sessions_are_made(program: Caller):
    program.post(TEMPLATES, ORDER)
    wishes = {
        "template": "desk",
        "context": {"depth": 9},
        "environment": "production",
        "token": True,
    }

    made = program.post("/api/v1/sessions", {"key": "mine", **wishes})
    plain = program.post(f"{TEMPLATES}/desk/apply", {"key": "other"}).json()
    with_kind = program.post("/api/v1/sessions", {"template": "desk", "kind": "chat"})
    absent = program.post("/api/v1/sessions", {"template": "absent"})
    unread = caller(["sessions:read", "sessions:write"])

    shown = made.json()
    assert (made.status_code, made["Location"]) == (201, f"/api/v1/sessions/{shown['id']}")
    assert (shown["template"], shown["template_version"], shown["kind"]) == ("desk", 1, "stream")
    assert (shown["environment"], plain["environment"]) == ("production", "test")
    assert shown["context"] == {"symbol": "BTC", "depth": 9}
    assert "aeg_" in made.content.decode()
    assert Component.objects.filter(session=shown["id"]).count() == 1
    assert code(with_kind) == (400, "VALIDATION_ERROR")
    assert code(absent) == (404, "TEMPLATE_NOT_FOUND")
    refused = unread.post("/api/v1/sessions", {"template": "desk"})
    assert code(refused) == (403, "PERMISSION_DENIED")
