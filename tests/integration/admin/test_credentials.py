import re
from datetime import timedelta

import pytest
from django.utils import timezone

from components.models import Credential
from components.services import credentials
from sessions.services import creation
from tests.integration.admin.help import CREDENTIALS, principal, text

FORM = {"name": "nightly", "scopes": ["sessions:read"], "patterns": "klines.**", "days": "30"}


@pytest.fixture
def issue(superuser, team):
    """Issue a credential of team default."""

    def make(name: str, **rest):
        return credentials.issue(
            principal=principal(superuser),
            name=name,
            scopes=["sessions:read"],
            team_id=rest.pop("team_id", team.pk),
            **rest,
        )

    return make


@pytest.fixture
def keeper(client, person):
    user = person(
        "kim",
        "aegis_sessions.view_session",
        "aegis_components.view_credential",
        "aegis_components.add_credential",
    )
    client.force_login(user)
    return user


def test_secret_is_shown_once_and_never_again(client, keeper, team):
    answer = client.post(f"{CREDENTIALS}add/", FORM | {"team": str(team.pk)})

    made = Credential.objects.get()
    secret = re.search(r'id="ae-secret">([^<]+)<', answer.content.decode())
    assert secret is not None
    assert credentials.verify(secret[1], transport="test") == made
    assert "no-store" in answer["Cache-Control"]
    for url in (CREDENTIALS, f"{CREDENTIALS}{made.pk}/change/"):
        assert secret[1] not in client.get(url).content.decode()
    assert (made.scopes, made.patterns) == (["sessions:read"], ["klines.**"])


def test_nobody_gives_scopes_that_they_do_not_have(client, keeper, team):
    page = client.get(f"{CREDENTIALS}add/").content.decode()
    answer = client.post(
        f"{CREDENTIALS}add/", FORM | {"team": str(team.pk), "scopes": ["audit:read"]}
    )

    assert "audit:read" not in page
    assert "Select a valid choice" in text(answer)
    assert not Credential.objects.exists()


def test_pattern_that_is_none_is_refused_with_the_services_words(client, keeper, team):
    answer = client.post(
        f"{CREDENTIALS}add/", FORM | {"team": str(team.pk), "patterns": "not..a.topic"}
    )

    assert "The topic is malformed" in text(answer)
    assert not Credential.objects.exists()


def test_a_name_that_is_taken_is_refused_at_its_field(client, keeper, team, issue):
    issue("nightly")

    answer = client.post(f"{CREDENTIALS}add/", FORM | {"team": str(team.pk)})

    errors = answer.context["form"].errors
    assert list(errors) == ["name"]
    assert "A credential of this name is in use" in text(answer)
    assert Credential.objects.count() == 1


def test_revoking_goes_through_the_service(client, keeper, issue):
    made = issue("old").credential

    answer = client.post(f"{CREDENTIALS}{made.pk}/revoke/", follow=True)

    made.refresh_from_db()
    assert made.revoked_at is not None
    assert "old is revoked" in text(answer)
    assert "Revoked" in text(answer)


def test_revoking_is_not_done_by_a_link(client, keeper, issue):
    made = issue("old").credential

    assert client.get(f"{CREDENTIALS}{made.pk}/revoke/").status_code == 405


def test_credentials_of_other_teams_are_neither_seen_nor_revoked(client, keeper, issue, other_team):
    theirs = issue("theirs", team_id=other_team.pk).credential

    page = client.get(CREDENTIALS)
    answer = client.post(f"{CREDENTIALS}{theirs.pk}/revoke/", follow=True)

    assert "theirs" not in text(page)
    assert "CREDENTIAL_NOT_FOUND" in text(answer)
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_state_tells_usable_expiring_expired_and_revoked_apart(client, keeper, issue, superuser):
    issue("plain")
    issue("soon", lifetime=timedelta(days=2))
    late = issue("late", lifetime=timedelta(days=2)).credential
    Credential.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    gone = issue("gone").credential
    credentials.revoke(principal=principal(superuser), credential=gone.pk)

    page = client.get(CREDENTIALS).content.decode()

    shown = re.findall(
        r'ae-name">(\w+)<.*?ae-chip".*?shapes\.svg#(\w+)"/></svg><span>(\w+)<', page, re.DOTALL
    )
    words = {name: word for name, _, word in shown}
    assert words == {"plain": "Usable", "soon": "Expiring", "late": "Expired", "gone": "Revoked"}
    # Beside the word, no two of them have one shape.
    assert len({shape for _, shape, _ in shown}) == 4


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=usable", ["plain"]),
        ("state=revoked", ["gone"]),
        ("view=programs", ["gone", "plain"]),
        ("view=tokens", ["session token"]),
    ],
)
def test_filters_narrow_the_list(client, keeper, issue, superuser, new_session, query, names):
    session = new_session("one")
    token = creation.issue_token(principal=principal(superuser), session=session.pk)
    Credential.objects.filter(pk=token.credential.pk).update(
        expires_at=timezone.now() - timedelta(hours=1)
    )
    issue("plain")
    credentials.revoke(principal=principal(superuser), credential=issue("gone").credential.pk)

    page = client.get(f"{CREDENTIALS}?{query}").content.decode()

    assert sorted(re.findall(r'class="ae-name">([^<]+)<', page)) == names


def test_person_without_permission_sees_no_credentials(client, viewer):
    client.force_login(viewer)

    assert client.get(CREDENTIALS).status_code == 403
    assert client.get(f"{CREDENTIALS}add/").status_code == 403


def test_a_rotated_credential_has_a_fresh_secret_that_is_shown_once(client, keeper, issue):
    old = issue("nightly")
    address = f"{CREDENTIALS}{old.credential.pk}"

    page = text(client.get(f"{address}/change/"))
    answer = client.post(f"{address}/rotate/", {"hours": "2"})

    fresh = Credential.objects.exclude(pk=old.credential.pk).get()
    secret = re.search(r'id="ae-secret">([^<]+)<', answer.content.decode())
    ends_at = Credential.objects.get(pk=old.credential.pk).expires_at
    assert "Rotate credential" in page
    assert secret is not None
    assert credentials.verify(secret[1], transport="test") == fresh
    assert (fresh.name, fresh.scopes) == ("nightly", ["sessions:read"])
    assert "nightly is rotated" in text(answer)
    assert "no-store" in answer["Cache-Control"]
    assert ends_at is not None
    assert timedelta(hours=1) < ends_at - timezone.now() <= timedelta(hours=2)


@pytest.mark.parametrize("hours", ["", "-1", "721", "x"])
def test_a_rotation_that_cannot_be_says_so_and_changes_nothing(client, keeper, issue, hours):
    old = issue("nightly")

    answer = client.post(f"{CREDENTIALS}{old.credential.pk}/rotate/", {"hours": hours}, follow=True)

    assert "The old secret goes on for 0 to 720 hours." in text(answer)
    assert Credential.objects.get() == old.credential
