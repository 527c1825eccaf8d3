import html
import json
import re
import shlex

import pytest
from django.core.management import call_command

from components.models import Component
from sessions.models import Message, Preset, Session
from tests.integration.admin.help import text

TEMPLATES = "/admin/aegis_sessions/preset/"
READ = ("aegis_sessions.view_preset",)
WRITE = (*READ, "aegis_sessions.change_preset")
RECIPE = {
    "kind": "chat",
    "environment": "test",
    "name": "Desk",
    "components": [{"name": "prices", "role": "feed", "required": False}],
    "messages": [{"content": "Be brief."}],
    "context": {"symbol": "BTC"},
}
FORM = {
    "slug": "desk",
    "name": "Desk",
    "description": "Ours.",
    "category": "custom",
    "recipe": json.dumps(RECIPE),
    "note": "first",
}
WISHES = {
    "name": "Mine",
    "key": "k",
    "environment": "test",
    "agent": "assistant",
    "team": "default",
}

pytestmark = pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning")


@pytest.fixture
def admin(client, superuser, team):
    client.force_login(superuser)
    return client


@pytest.fixture
def desk(admin, team) -> Preset:
    admin.post(f"{TEMPLATES}add/", FORM | {"team": str(team.pk)})
    return Preset.objects.get(slug="desk")


def test_a_template_is_made_changed_compared_and_removed(admin, desk, team):
    page = f"{TEMPLATES}{desk.pk}/change/"
    other = FORM | {"recipe": json.dumps({**RECIPE, "context": {"symbol": "ETH"}}), "note": "n"}
    renamed = admin.post(page, FORM | {"name": "Our desk"})
    changed = admin.post(page, other)
    after = Preset.objects.get(slug="desk")
    compared = text(admin.get(f"{page}?before=1"))
    removed = admin.post(f"{TEMPLATES}{desk.pk}/remove/", follow=True)

    assert (desk.team, desk.version) == (team, 1)
    assert (renamed.status_code, changed.status_code) == (302, 302)
    assert (after.name, after.version) == ("Desk", 2)
    assert "From version 1 to 2" in compared
    assert "/context/symbol changed BTC ETH" in compared
    assert "Desk is removed. Its sessions stay." in text(removed)
    assert not Preset.objects.filter(slug="desk").exists()


def test_a_recipe_that_cannot_be_is_told_at_its_field(admin, team):
    unknown = admin.post(f"{TEMPLATES}add/", FORM | {"recipe": '{"unknown": 1}'})
    no_json = admin.post(f"{TEMPLATES}add/", FORM | {"recipe": "["})
    wrong = admin.post(f"{TEMPLATES}add/", FORM | {"recipe": '{"config": {"max_messages": 1}}'})

    assert "The recipe cannot be" in text(unknown)
    assert no_json.status_code == 200
    assert wrong.context["form"].errors.keys() == {"recipe"}
    assert not Preset.objects.filter(slug="desk").exists()


def test_those_of_the_system_are_shown_and_do_not_change(admin):
    listed = text(admin.get(TEMPLATES))
    row = Preset.objects.get(slug="learning")

    shown = text(admin.get(f"{TEMPLATES}{row.pk}/change/"))
    refused = admin.post(f"{TEMPLATES}{row.pk}/change/", FORM)

    assert "Coding assistant coding-assistant" in listed
    assert "This one is part of Aegis and does not change." in shown
    assert refused.status_code == 403


def test_a_session_is_saved_as_a_template(admin, new_session):
    session = new_session("k", context={"symbol": "BTC"})

    shown = admin.get(f"{TEMPLATES}add/?session={session.pk}").content.decode()
    missing = admin.get(f"{TEMPLATES}add/?session=nothing")

    assert "&quot;symbol&quot;: &quot;BTC&quot;" in shown
    assert missing.status_code == 404


def test_the_wizard_fills_reviews_and_makes(admin, desk):
    page = f"{TEMPLATES}{desk.pk}/use/"
    filled = text(admin.get(f"{page}?step=who"))
    wishes = WISHES | {"context": '{"depth": 5}'}
    review = admin.post(page, wishes | {"step": "review"}, follow=True)
    back = admin.post(page, {"step": "what"}, follow=True)
    made = admin.post(page, {"step": "make"})

    session = Session.objects.get(key="k")
    assert "Takes part prices (feed)" in filled
    assert json.loads(_said(review, "wizard-json"))["context"] == {"depth": 5}
    assert 'value="Mine"' in back.content.decode()
    assert (made.status_code, made["Location"].split("/")[-3]) == (302, str(session.pk))
    assert (session.name, session.template, session.template_version) == ("Mine", "desk", 1)
    assert session.context == {"symbol": "BTC", "depth": 5}
    assert Component.objects.get(session=session).name == "prices"
    assert Message.objects.get(session=session).content == "Be brief."


def test_the_line_that_the_wizard_shows_makes_an_equal_session(admin, desk):
    wishes = WISHES | {"name": "It's mine", "context": '{"depth": 5}', "policy": "auto"}
    review = admin.post(f"{TEMPLATES}{desk.pk}/use/", wishes | {"step": "review"}, follow=True)
    admin.post(f"{TEMPLATES}{desk.pk}/use/", wishes | {"step": "make", "key": "by-hand"})

    call_command(*shlex.split(_said(review, "wizard-line")))

    fields = ("name", "kind", "mode", "environment", "agent", "context", "config", "tags", "team")
    rows = list(Session.objects.values(*fields, "template", "template_version", "component_count"))
    assert len(rows) == 2
    assert rows[0] == rows[1]
    parts = ("name", "role", "required", "topics")
    shown, typed = (
        [
            list(Component.objects.filter(session__key=key).values(*parts)),
            list(Message.objects.filter(session__key=key).values("role", "content")),
        ]
        for key in ("by-hand", WISHES["key"])
    )
    assert shown == typed
    assert [[one["name"] for one in typed[0]], [one["content"] for one in typed[1]]] == [
        ["prices"],
        ["Be brief."],
    ]


def test_the_wizard_tells_faults_at_their_fields_and_keeps_what_was_said(admin, desk):
    page = f"{TEMPLATES}{desk.pk}/use/"
    admin.post(page, WISHES | {"step": "make"})

    taken = admin.post(page, WISHES | {"step": "make"})
    nobody = admin.post(page, WISHES | {"step": "review", "agent": "nobody"})
    wrong = admin.post(page, WISHES | {"step": "make", "key": "x", "config": '{"max_messages": 1}'})

    assert taken.context["form"].errors.keys() == {"key"}
    assert nobody.context["form"].errors.keys() == {"agent"}
    assert wrong.context["form"].errors.keys() == {"config"}
    assert 'value="Mine"' in taken.content.decode()
    assert Session.objects.count() == 1


def test_what_the_wizard_was_told_is_kept_until_the_session_is_made(admin, desk):
    page = f"{TEMPLATES}{desk.pk}/use/"
    admin.post(page, {"name": "Kept", "config": "[", "step": "who"})

    early, late = admin.get(f"{page}?step=review"), admin.get(f"{page}?step=nonsense")
    admin.post(page, {"config": "", "step": "review"})
    made = admin.post(page, {"step": "make"}, follow=True)

    assert (early.context["step"], late.context["step"]) == ("gates", "what")
    assert early.context["form"].errors.keys() == {"config"}
    assert 'value="Kept"' in late.content.decode()
    assert (made.status_code, Session.objects.get().name) == (200, "Kept")
    assert 'value="Kept"' not in admin.get(page).content.decode()


def test_a_missing_agent_is_named_with_what_mends_it(admin, desk):
    page = f"{TEMPLATES}{desk.pk}/change/"
    recipe = {**RECIPE, "agent": "gone", "config": {"policy": "lost"}}
    recipe["components"] = [{"name": "prices", "program": "feeder"}]
    admin.post(page, FORM | {"recipe": json.dumps(recipe)})
    shown, used = admin.get(page), admin.get(f"{TEMPLATES}{desk.pk}/use/?step=who")
    nobody = admin.post(f"{TEMPLATES}{desk.pk}/agent/", {"agent": "gone"}, follow=True)
    mended = admin.post(f"{TEMPLATES}{desk.pk}/agent/", {"agent": "assistant"}, follow=True)

    for said in ("agent gone", "policy lost", "program feeder"):
        assert f"The {said} is not there." in text(shown)
    assert "The agent gone is not there." in text(used)
    assert 'href="/admin/aegis_sessions/agent/add/?slug=gone"' in shown.content.decode()
    assert (
        'value="gone"' in admin.get("/admin/aegis_sessions/agent/add/?slug=gone").content.decode()
    )
    assert "AGENT_NOT_FOUND" in text(nobody)
    assert "assistant answers in new sessions of Desk." in text(mended)
    assert "The agent gone is not there." not in text(mended)
    assert Preset.objects.get(pk=desk.pk).version == 3


def test_a_newer_version_is_told_where_an_older_one_is_in_use(admin, desk):
    page = f"{TEMPLATES}{desk.pk}/change/"
    admin.post(f"{TEMPLATES}{desk.pk}/use/", WISHES | {"step": "make"})
    admin.post(page, FORM | {"recipe": json.dumps({**RECIPE, "context": {"symbol": "ETH"}})})
    session = Session.objects.get(key="k")
    settings = f"/admin/aegis_sessions/session/{session.pk}/change/?tab=config"

    of_session = admin.get(settings)
    back = admin.post(f"{TEMPLATES}{desk.pk}/activate/", {"version": "1"}, follow=True)
    wrong = admin.post(f"{TEMPLATES}{desk.pk}/activate/", {"version": "9"}, follow=True)

    assert f'href="{page}?before=1"' in of_session.content.decode()
    assert "Version 2 is in use now" in text(of_session)
    assert "Version 2 is newer. Sessions are made from version 1." in text(back)
    assert "TEMPLATE_NOT_FOUND" in text(wrong)
    assert "is in use now" not in text(admin.get(settings))
    assert session.context == {"symbol": "BTC"}


def test_a_template_is_tried_from_its_page(admin, desk, client, person):
    tried = admin.post(f"{TEMPLATES}{desk.pk}/test/", follow=True)
    session = Session.objects.get(template="desk")

    client.force_login(person("reader", *READ))
    page = f"{TEMPLATES}{desk.pk}"
    refused = client.post(f"{page}/test/")

    assert tried.redirect_chain[0][0].endswith(f"/session/{session.pk}/change/")
    assert "On paper: what its tools would do outside of it is not carried out." in text(tried)
    assert "Test run, effects stub." in text(tried)
    assert refused.status_code == 403
    assert "Test run on paper" not in text(client.get(f"{page}/change/"))
    assert client.post(f"{page}/activate/", {"version": "1"}).status_code == 403


def test_templates_are_of_teams_and_rights(client, admin, desk, person, other_team):
    theirs = Preset.objects.create(slug="theirs", team=other_team)

    client.force_login(person("reader", *READ))
    read = client.get(f"{TEMPLATES}{desk.pk}/change/")
    hidden = client.get(f"{TEMPLATES}{theirs.pk}/change/")
    using = client.get(f"{TEMPLATES}{desk.pk}/use/")
    adding = client.get(f"{TEMPLATES}add/")
    client.force_login(person("writer", *WRITE))
    own = client.post(f"{TEMPLATES}add/", FORM | {"slug": "own", "team": str(desk.team_id)})
    client.force_login(person("nobody"))

    assert "Only who may write the templates" in text(read)
    assert (hidden.status_code, using.status_code) == (404, 403)
    assert (adding.status_code, own.status_code) == (403, 302)
    assert client.get(TEMPLATES).status_code == 403


def test_the_list_of_sessions_shows_tags_and_narrows_to_one(admin, new_session):
    new_session("tagged")
    new_session("plain")
    call_command("aegis", "session", "tag", "tagged", "work", "-q")

    listed = admin.get("/admin/aegis_sessions/session/")
    narrowed = admin.get("/admin/aegis_sessions/session/?tag=work")
    page = admin.get(
        f"/admin/aegis_sessions/session/{Session.objects.get(key='tagged').pk}/change/"
    )

    assert '<span class="ae-tag" data-tag="work">work</span>' in listed.content.decode()
    assert [row.key for row in narrowed.context["cl"].result_list] == ["tagged"]
    assert 'data-tag="work"' in page.content.decode()


def _said(answer, name: str) -> str:
    found = re.search(rf'<pre[^>]* id="{name}">(.*?)</pre>', answer.content.decode(), re.DOTALL)
    assert found is not None
    return html.unescape(found[1])
