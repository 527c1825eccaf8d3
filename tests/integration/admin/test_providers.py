import pytest

from aegis_project import sealed
from sessions.models import Provider
from streaming.models import AuditEntry
from tests.integration.admin.help import PROVIDERS, text

KEY = "sk-secret-of-a-provider"
FORM = {
    "slug": "local",
    "kind": "openai",
    "base_url": "http://127.0.0.1:11434/v1",
    "api_version": "",
    "secret": KEY,
}


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


def test_a_provider_is_registered_changed_and_removed_and_its_key_stays_in(admin):
    made = admin.post(f"{PROVIDERS}add/", FORM, follow=True)
    row = Provider.objects.get()
    page = admin.get(f"{PROVIDERS}{row.pk}/change/")
    kept = admin.post(f"{PROVIDERS}{row.pk}/change/", FORM | {"secret": "", "slug": "own"})
    after = Provider.objects.get()
    emptied = admin.post(
        f"{PROVIDERS}{row.pk}/change/", FORM | {"secret": "", "slug": "own", "forget": "on"}
    )
    without = Provider.objects.get()
    removed = admin.post(f"{PROVIDERS}{row.pk}/remove/", follow=True)

    assert "local OpenAI, or its interface http://127.0.0.1:11434/v1 sealed" in text(made)
    assert KEY not in made.content.decode() + page.content.decode()
    assert "There is one. Leave it empty to keep it." in text(page)
    assert (kept.status_code, emptied.status_code) == (302, 302)
    assert (after.slug, sealed.unseal(after.secret), without.secret) == ("own", KEY, "")
    assert "own is removed, and its key is forgotten." in text(removed)
    assert not Provider.objects.exists()
    commands = AuditEntry.objects.order_by("pk").values_list("command", flat=True)
    assert list(commands) == [
        "provider.create",
        "provider.update",
        "provider.update",
        "provider.remove",
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"slug": "scripted"}, "A slug has 1 to 50"),
        ({"base_url": "ftp://a"}, "An address begins with"),
        ({"secret": "ä"}, "A key has at most"),
    ],
)
def test_what_cannot_be_is_told(admin, wrong, says):
    assert says in text(admin.post(f"{PROVIDERS}add/", FORM | wrong))
    assert not Provider.objects.exists()


def test_another_address_needs_the_key_again(admin):
    admin.post(f"{PROVIDERS}add/", FORM)
    row = Provider.objects.get()
    elsewhere = FORM | {"base_url": "https://other.example", "secret": ""}

    refused = admin.post(f"{PROVIDERS}{row.pk}/change/", elsewhere)

    assert "Give the key again with another address." in text(refused)
    assert Provider.objects.get().base_url == FORM["base_url"]


def test_who_reads_agents_sees_providers_and_changes_none(client, person):
    Provider.objects.create(slug="open", base_url="http://127.0.0.1:1/v1")
    Provider.objects.create(slug="broken", secret="of another key")
    row = Provider.objects.create(slug="none")
    client.force_login(person("rita", "aegis_sessions.view_agent", "aegis_sessions.change_agent"))

    page = text(client.get(PROVIDERS))

    assert "open OpenAI, or its interface http://127.0.0.1:1/v1 of the environment" in page
    assert "the provider&#x27;s own not readable" in page
    assert "the provider&#x27;s own none" in page
    assert client.get(f"{PROVIDERS}{row.pk}/change/").status_code == 403
    assert client.post(f"{PROVIDERS}add/", FORM).status_code == 403
    assert "PERMISSION_DENIED" in text(client.post(f"{PROVIDERS}{row.pk}/remove/", follow=True))
    assert client.get(f"{PROVIDERS}999999/change/").status_code == 404
    assert client.get(f"{PROVIDERS}x/change/").status_code == 404
    assert Provider.objects.count() == 3
