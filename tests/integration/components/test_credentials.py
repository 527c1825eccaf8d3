import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.utils import timezone

from aegis_project.kit.errors import NotAuthenticated, PermissionDenied, ValidationFailed
from aegis_project.kit.principal import Principal
from components.core.errors import (
    ComponentAmbiguous,
    ComponentNotFound,
    CredentialAlreadyExists,
    CredentialNotFound,
)
from components.models import Component, Credential
from components.services import credentials
from components.services.credentials import Issued
from components.services.registry import Expected
from streaming import hints
from streaming.core.errors import UnknownTopic
from streaming.hints import Hint
from streaming.models import AuditEntry
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Group:
    return factories.team("desk")


def issue(team: Group, *, principal: Principal = OPERATOR, **said: Any) -> Issued:
    fields: dict[str, Any] = {"name": "robot", "scopes": ["sessions:read"]} | said
    return credentials.issue(principal=principal, team_id=team.pk, **fields)


# Issuing


def test_a_secret_is_shown_once_and_kept_as_a_hash(team: Group):
    issued = issue(team)

    mark, prefix, rest = issued.secret.split("_", 2)
    row = Credential.objects.get()
    assert (mark, prefix) == ("aeg", row.prefix)
    assert len(rest) >= 43
    assert row.digest == hashlib.sha256(issued.secret.encode()).hexdigest()
    assert rest not in str(Credential.objects.values().get())


def test_two_secrets_have_nothing_in_common(team: Group):
    first, second = issue(team), issue(team, name="other")

    assert first.secret.split("_")[1] != second.secret.split("_")[1]
    assert first.secret[-20:] != second.secret[-20:]


def test_a_credential_is_what_was_asked_for(team: Group):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        issued = issue(
            team,
            scopes=["topics:read", "sessions:read", "topics:read"],
            patterns=["trades.*", "klines.BTC.1m"],
            lifetime=timedelta(hours=1),
        )
        expected_end = timezone.now() + timedelta(hours=1)

    row = issued.credential
    assert (row.name, row.scopes, row.patterns, row.team, row.expires_at, row.created_by) == (
        "robot",
        ["sessions:read", "topics:read"],
        ["trades.*", "klines.BTC.1m"],
        team,
        expected_end,
        "user:operator",
    )


def test_without_saying_more_a_credential_has_every_topic_and_no_end(team: Group):
    row = issue(team).credential

    assert (row.patterns, row.expires_at) == (["**"], None)


def test_a_scope_that_does_not_exist_is_refused_by_name(team: Group):
    with pytest.raises(ValidationFailed) as refusal:
        issue(team, scopes=["sessions:read", "sessions:rule", "*"])

    assert refusal.value.details == {"scopes": ["*", "sessions:rule"]}


def test_a_malformed_pattern_is_refused(team: Group):
    with pytest.raises(UnknownTopic):
        issue(team, patterns=["trades.**.BTC"])


def test_a_name_too_long_is_refused(team: Group):
    assert issue(team, name="é" * 100).credential.name == "é" * 100

    with pytest.raises(ValidationFailed):
        issue(team, name="é" * 101)


def test_a_name_is_one_programs_of_a_team_until_its_credential_is_over(team: Group):
    first = issue(team).credential
    others = factories.team("others")

    assert issue(others).credential.name == issue(others, name="Robot").credential.name.lower()
    with pytest.raises(CredentialAlreadyExists) as refusal:
        issue(team)
    assert refusal.value.details == {"name": "robot"}
    credentials.revoke(principal=OPERATOR, credential=first.pk)
    second = issue(team, lifetime=timedelta(minutes=1)).credential
    with time_machine.travel(second.expires_at):
        assert issue(team).credential.name == "robot"


def test_a_name_is_no_other_programs_prefix(team: Group):
    nameless = credentials.mint(name="", scopes=[], patterns=[], team_id=team.pk).credential

    with pytest.raises(CredentialAlreadyExists):
        issue(team, name=nameless.prefix)


def test_a_rotated_credential_keeps_its_name_to_itself(team: Group):
    old = issue(team)
    credentials.rotate(principal=OPERATOR, credential=old.credential.pk)

    with pytest.raises(CredentialAlreadyExists):
        issue(team)


def test_the_name_of_a_sessions_token_is_nobodys(team: Group):
    session = factories.session(team=team.name)
    for _ in range(2):
        credentials.session_token(
            principal=OPERATOR, session_id=session.pk, team_id=session.team_id
        )

    assert issue(team, name="session token").credential.session_id is None


def test_who_may_not_give_does_not_learn_which_names_there_are(team: Group):
    issue(team)

    with pytest.raises(PermissionDenied):
        issue(team, principal=factories.member(factories.team("others")))


def test_nobody_gives_a_scope_they_do_not_have(team: Group):
    issuer = factories.member(team, scopes=["credentials:write", "sessions:read"])

    with pytest.raises(PermissionDenied) as refusal:
        issue(team, principal=issuer, scopes=["sessions:read", "sessions:control"])

    assert refusal.value.details == {"scopes": ["sessions:control"]}


def test_nobody_gives_a_team_they_are_not_of(team: Group):
    issuer = factories.member(factories.team("others"))

    with pytest.raises(PermissionDenied):
        issue(team, principal=issuer)


def test_nobody_gives_topics_they_do_not_have(team: Group):
    issuer = factories.narrowed(factories.member(team), "trades.*", "klines.**")

    assert issue(team, principal=issuer).credential.patterns == ["trades.*", "klines.**"]
    assert issue(team, name="b", principal=issuer, patterns=["klines.*.1m"]).credential.patterns
    with pytest.raises(PermissionDenied) as refusal:
        issue(team, principal=issuer, patterns=["trades.BTC", "trades.**"])
    assert refusal.value.details == {"patterns": ["trades.**"]}


def test_issuing_needs_the_scope_and_is_audited_without_the_secret(team: Group):
    issued = issue(team)
    with pytest.raises(PermissionDenied):
        issue(team, principal=factories.member(team, scopes=["sessions:read"]))

    done, refused = AuditEntry.objects.order_by("pk")
    assert (done.command, done.outcome, done.target) == (
        "credential.issue",
        "ok",
        str(issued.credential.pk),
    )
    assert issued.secret not in str(done.detail)
    assert (refused.outcome, refused.code) == ("refused", "PERMISSION_DENIED")


# Verifying


def test_a_secret_opens_its_credential(team: Group):
    issued = issue(team)

    assert credentials.verify(issued.secret, transport="rest") == issued.credential


def test_a_secret_that_opens_nothing_is_refused_in_one_way(team: Group):
    issued = issue(team)
    expired = issue(team, name="expired", lifetime=timedelta(seconds=-1))
    revoked = issue(team, name="revoked")
    credentials.revoke(principal=OPERATOR, credential=revoked.credential.pk)

    for secret in (
        "",
        "aeg",
        "aeg__",
        "nonsense",
        issued.secret[:-1],
        issued.secret + "x",
        issued.secret.replace("aeg_", "geb_"),
        f"aeg_{issued.credential.prefix}_",
        "aeg_\x00_\x00",
        "aeg_é_é",
        expired.secret,
        revoked.secret,
    ):
        with pytest.raises(NotAuthenticated) as refusal:
            credentials.verify(secret, transport="rest")
        assert refusal.value.message == "The credential is not valid."


def test_a_credential_ends_at_its_moment(team: Group):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        issued = issue(team, lifetime=timedelta(minutes=1))
        clock.shift(59)
        credentials.verify(issued.secret, transport="rest")
        clock.shift(1)

        with pytest.raises(NotAuthenticated):
            credentials.verify(issued.secret, transport="rest")


def test_the_last_use_is_noted_at_most_once_a_minute(team: Group):
    uses = []
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        start = timezone.now()
        issued = issue(team)
        for transport, pause in (("rest", 0), ("socket", 60), ("socket", 1)):
            clock.shift(pause)
            credentials.verify(issued.secret, transport=transport)
            row = Credential.objects.get()
            assert row.last_used_at is not None
            uses.append(((row.last_used_at - start).seconds, row.last_used_transport))

    assert uses == [(0, "rest"), (0, "rest"), (61, "socket")]


# Principals


def test_a_credential_stands_for_a_program_of_its_team(team: Group):
    issued = issue(team, patterns=["trades.*"])

    found = credentials.principal_of(issued.credential, transport="rest")

    assert found == Principal(
        kind="credential",
        id=f"credential:{issued.credential.pk}",
        label="robot",
        scopes=frozenset({"sessions:read"}),
        teams=frozenset({team.pk}),
        credential_id=str(issued.credential.pk),
        patterns=("trades.*",),
        transport="rest",
    )


def test_a_session_token_stands_for_a_component_of_its_session():
    session = factories.session(expected=[Expected(name="feed")])
    feed = Component.objects.get()
    issued = credentials.session_token(
        principal=OPERATOR, session_id=session.pk, team_id=session.team_id, component="feed"
    )

    found = credentials.principal_of(issued.credential, transport="socket")

    assert (found.kind, found.session_id, found.component_id, found.scopes) == (
        "component",
        str(session.pk),
        str(feed.pk),
        frozenset({"topics:publish", "topics:read"}),
    )
    assert not found.allows("sessions:read")


def test_a_credential_whose_team_is_gone_sees_nothing(team: Group):
    issued = issue(team)
    Credential.objects.update(team=None)
    issued.credential.refresh_from_db()

    assert credentials.principal_of(issued.credential, transport="rest").teams == frozenset()


@pytest.mark.parametrize("reference", ["nobody", "f"])
def test_a_token_for_a_component_needs_exactly_that_component(reference: str):
    session = factories.session(expected=[Expected(name="feed"), Expected(name="fan")])
    expected = {"nobody": ComponentNotFound, "f": ComponentAmbiguous}

    with pytest.raises(expected[reference]):
        credentials.session_token(
            principal=OPERATOR,
            session_id=session.pk,
            team_id=session.team_id,
            component=reference,
        )


# Revoking


def test_a_revoked_credential_is_told_to_every_process_once(
    team: Group, django_capture_on_commit_callbacks: Any
):
    heard: list[Hint] = []
    issued = issue(team)
    hints.listen(heard.append)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            first = credentials.revoke(principal=OPERATOR, credential=issued.credential.pk)
            second = credentials.revoke(principal=OPERATOR, credential=str(issued.credential.pk))
    finally:
        hints.unlisten(heard.append)

    assert first.revoked_at == second.revoked_at is not None
    assert heard == [Hint("credential", str(issued.credential.pk))]


def test_revoking_a_session_token_is_told_in_the_ledger_of_its_session():
    session = factories.session()
    issued = credentials.session_token(
        principal=OPERATOR, session_id=session.pk, team_id=session.team_id
    )

    for _ in range(2):
        credentials.revoke(principal=OPERATOR, credential=issued.credential.pk)

    told = {"credential_id": str(issued.credential.pk), "name": "session token"}
    assert factories.told(session)[1:] == [
        ("credential.issued", told | {"component_id": None}),
        ("credential.revoked", told | {"component_id": None}),
    ]


def test_a_credential_of_another_team_or_of_nobody_is_not_there(team: Group):
    issued = issue(team)
    stranger = factories.member(factories.team("others"))

    for principal, reference in [
        (stranger, str(issued.credential.pk)),
        (OPERATOR, str(uuid4())),
        (OPERATOR, "nonsense"),
    ]:
        with pytest.raises(CredentialNotFound) as refusal:
            credentials.revoke(principal=principal, credential=reference)
        assert refusal.value.details == {"credential": reference}
    assert credentials.verify(issued.secret, transport="rest") == issued.credential


# Rotating


def test_a_rotated_credential_has_the_same_rights_and_the_old_one_an_overlap(team: Group):
    old = issue(team, scopes=["topics:read"], patterns=["trades.*"], lifetime=timedelta(days=9))

    new = credentials.rotate(
        principal=OPERATOR, credential=old.credential.prefix, overlap=timedelta(hours=1)
    )
    row = Credential.objects.get(pk=old.credential.pk)
    kept = ("name", "scopes", "patterns", "team_id")

    assert [getattr(new.credential, one) for one in kept] == [getattr(row, one) for one in kept]
    assert new.secret != old.secret
    assert credentials.verify(new.secret, transport="test").pk == new.credential.pk
    assert credentials.verify(old.secret, transport="test").pk == row.pk
    assert row.expires_at is not None
    assert new.credential.expires_at is not None
    assert row.expires_at - timezone.now() < timedelta(hours=1)
    assert new.credential.expires_at - timezone.now() > timedelta(days=8)


def test_without_an_overlap_the_old_secret_opens_nothing(team: Group):
    old = issue(team)

    credentials.rotate(principal=OPERATOR, credential=old.credential.pk)

    with pytest.raises(NotAuthenticated):
        credentials.verify(old.secret, transport="test")


def test_an_overlap_makes_no_credential_last_longer(team: Group):
    old = issue(team, lifetime=timedelta(minutes=1))
    end = old.credential.expires_at

    credentials.rotate(principal=OPERATOR, credential=old.credential.pk, overlap=timedelta(hours=1))

    assert Credential.objects.get(pk=old.credential.pk).expires_at == end


def test_what_opens_nothing_or_more_than_one_has_is_not_rotated(team: Group):
    old = issue(team, scopes=["audit:read"])
    few = factories.member(team, scopes=["credentials:write"])

    with pytest.raises(PermissionDenied):
        credentials.rotate(principal=few, credential=old.credential.pk)
    credentials.revoke(principal=OPERATOR, credential=old.credential.pk)
    with pytest.raises(ValidationFailed):
        credentials.rotate(principal=OPERATOR, credential=old.credential.pk)
    assert Credential.objects.count() == 1
