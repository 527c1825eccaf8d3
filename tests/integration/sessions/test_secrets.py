"""Secrets that are given to Aegis: sealed anew after a change of keys, and shown nowhere."""

import io
import json
import logging
import zipfile
from typing import Any

import pytest
from asgiref.sync import async_to_sync  # noqa: TID251 -- what a client does with a stream
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from aegis_project import sealed
from aegis_project.kit.errors import PermissionDenied
from sessions.models import Provider, ToolServer, Webhook
from sessions.services import capsules, secrets
from streaming.models import AuditEntry
from tests import factories
from tests.calling import SYSTEM, Caller, caller

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

CANARY = "canary-7f3a91c4e2"
PASSWORD = f"{CANARY}-password"
API = "/api/v1"


@pytest.fixture
def kept() -> tuple[Provider, ToolServer, Webhook]:
    """Rows with secrets, the second of which no key opens."""
    return (
        Provider.objects.create(slug="own", secret=sealed.seal("sk-1")),
        ToolServer.objects.create(slug="far", url="https://a.example", secret="broken"),
        Webhook.objects.create(
            url="https://a.example", team=factories.team("t"), secret=sealed.seal("whsec_1")
        ),
    )


def changed_key(settings: Any) -> None:
    former = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = f"{former}-new", [former]


def test_after_a_change_of_keys_all_secrets_are_sealed_anew(
    aegis: Any, settings: Any, kept: tuple[Provider, ToolServer, Webhook]
):
    changed_key(settings)

    tried = aegis("secrets", "reseal", "--dry-run", "--json")
    before = Provider.objects.get().secret == kept[0].secret
    done = aegis("secrets", "reseal", "--json")

    settings.SECRET_KEY_FALLBACKS = []
    figures = {"found": 3, "resealed": 2, "unreadable": ["toolserver far: secret"]}
    assert json.loads(tried.out)["data"] == {**figures, "dry_run": True}
    assert json.loads(done.out)["data"] == {**figures, "dry_run": False}
    assert before
    assert sealed.unseal(Provider.objects.get().secret) == "sk-1"
    assert sealed.unseal(Webhook.objects.get().secret) == "whsec_1"
    assert ToolServer.objects.get().secret == "broken"
    entry = AuditEntry.objects.filter(command="secrets.reseal").latest("pk")
    assert entry.detail == figures


@pytest.mark.usefixtures("kept")
def test_what_is_sealed_with_the_key_of_now_stays_as_it_is():
    found = secrets.reseal(principal=SYSTEM)

    assert (found.found, found.resealed) == (3, 0)


def test_only_who_sees_all_teams_seals_their_secrets():
    desk = factories.member(factories.team("desk"))

    with pytest.raises(PermissionDenied):
        secrets.reseal(principal=desk)

    entry = AuditEntry.objects.filter(command="secrets.reseal").latest("pk")
    assert (entry.outcome, entry.code) == ("refused", "PERMISSION_DENIED")


# The canary: a marked secret in each place that takes one


@pytest.fixture
def planted(settings: Any, caplog: pytest.LogCaptureFixture) -> tuple[Caller, str]:
    """Somebody who gave the canary wherever a secret is taken, and a credential's own secret."""
    caplog.set_level(logging.DEBUG)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    User.objects.create_user("ana", password=PASSWORD)
    maker = caller()
    secret = f"{CANARY}-secret"
    for address, order in (
        ("providers", {"slug": "own", "base_url": "https://own.example/v1", "secret": secret}),
        (
            "tool-servers",
            {"slug": "far", "url": "https://a.example/mcp", "secret": {"X-Key": secret}},
        ),
        # Refused, which logs, audits and answers.
        ("providers", {"slug": "own", "base_url": "ftp://x", "secret": secret}),
        ("providers", {"slug": "own", "secret": secret}),
        ("tool-servers", {"slug": "far", "secret": {"X": secret}, "unknown": 1}),
    ):
        maker.post(f"{API}/{address}", order)
    maker.patch(f"{API}/providers/own", {"secret": f"{secret}-2"})
    Client().post("/admin/login/", {"username": "ana", "password": f"{PASSWORD}-wrong"})
    Caller(f"aeg_{CANARY}").get(f"{API}/sessions")
    webhook = maker.post(
        f"{API}/webhooks", {"url": "https://example.com/hook", "events": ["run.*"]}
    ).json()
    return maker, str(webhook["secret"])


def everything_stored() -> str:
    """The text of every row of every table."""
    rows: list[Any] = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 -- the name is the model's
            rows += cursor.fetchall()
    return repr(rows)


def everything_shown(maker: Caller) -> str:
    """Lists, single things, exports and pages of the admin."""
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", "", "x"))
    shown = [
        maker.get(f"{API}/{one}").content
        for one in (
            *("providers", "providers/own", "tool-servers", "tool-servers/far", "webhooks"),
            *("credentials", "audit", "agents", "sessions"),
        )
    ]
    for model in ("provider", "toolserver", "webhook"):
        pages = f"/admin/aegis_sessions/{model}/"
        row = apps.get_model("aegis_sessions", model).objects.get()
        shown += [boss.get(at).content for at in (pages, f"{pages}{row.pk}/change/")]
    shown.append(boss.get("/admin/aegis_components/credential/").content)
    shown.append(boss.get("/admin/health/").content)
    return repr(shown)


def everything_taken_away(maker: Caller, session: str) -> str:
    """What leaves as a file or a link: exports, capsules, templates, cursors of pages."""
    taken = [
        read(maker.get(f"{API}/{one}"))
        for one in (
            *("audit/export?format=csv", "audit/export?format=ndjson", "audit?limit=1"),
            *("credentials?limit=1", "templates/kept/export", f"sessions/{session}/reconnect"),
            f"sessions/{session}/messages/export",
        )
    ]
    capsule = io.BytesIO()
    capsules.export(principal=SYSTEM, session=session, file=capsule)
    with zipfile.ZipFile(capsule) as files:
        taken += [files.read(name) for name in files.namelist()]
    return repr(taken)


def read(answer: Any) -> bytes:
    """The body, of a file in pieces, too."""
    assert answer.status_code == 200, answer.content
    if not answer.streaming:
        return bytes(answer.content)
    pieces = answer.streaming_content
    return b"".join(async_to_sync(collected)(pieces) if answer.is_async else pieces)


async def collected(pieces: Any) -> list[bytes]:
    return [piece async for piece in pieces]


def test_a_secret_that_was_given_is_shown_nowhere(
    planted: tuple[Caller, str], caplog: pytest.LogCaptureFixture
):
    maker, webhook = planted

    stored, shown = everything_stored(), everything_shown(maker)

    assert Provider.objects.count() == ToolServer.objects.count() == Webhook.objects.count() == 1
    for place in (stored, shown, caplog.text):
        assert CANARY not in place
        assert webhook not in place
        assert maker.headers["Authorization"].removeprefix("Bearer ") not in place


def test_a_secret_leaves_in_no_file_and_no_link(planted: tuple[Caller, str]):
    maker, webhook = planted
    made = maker.post(
        f"{API}/sessions",
        {"key": "k", "config": {"api_key": CANARY}, "components": [{"name": "feed"}]},
    ).json()
    token = maker.post(f"{API}/sessions/k/tokens").json()["session_token"]
    maker.post(f"{API}/sessions/k/messages", {"content": "Hello", "answers": False})
    maker.post(f"{API}/templates/from-session", {"slug": "kept", "session": "k", "team": "default"})

    taken = everything_taken_away(maker, made["id"])

    assert "Hello" in taken
    for secret in (CANARY, webhook, token, maker.headers["Authorization"][len("Bearer ") :]):
        assert secret not in taken


def test_the_canary_would_be_found(planted: tuple[Caller, str]):
    Provider.objects.update(api_version=CANARY)

    assert CANARY in everything_stored()
    assert CANARY in everything_shown(planted[0])
