"""Issuing, checking and revoking credentials."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils import timezone

from aegis_project.kit.errors import NotAuthenticated, PermissionDenied, ValidationFailed
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from components import selectors
from components.core import scopes as scope_words
from components.core.errors import CredentialAlreadyExists
from components.core.events import ComponentEvent
from components.models import Credential
from components.services import uses
from streaming import hints
from streaming.core import topics
from streaming.services import ledger
from streaming.services.commands import Trace, command

MARK = "aeg"
LONGEST_NAME = 100
EVERY_TOPIC = ("**",)
SESSION_TOKEN_SCOPES = ("topics:publish", "topics:read")


class Issued(NamedTuple):
    """A new credential and its secret, which is shown this once."""

    credential: Credential
    secret: str

    def audit(self) -> Trace:
        return Trace(
            session_id=self.credential.session_id,
            target=str(self.credential.pk),
            detail={"prefix": self.credential.prefix, "scopes": self.credential.scopes},
        )


@command("credential.issue", scope="credentials:write")
def issue(
    *,
    principal: Principal,
    name: str,
    scopes: list[str],
    patterns: list[str] | None = None,
    team_id: int,
    lifetime: timedelta | None = None,
) -> Issued:
    """
    Make a credential for a program of one team.

    A program is who its name says, and what it asked for is its own under that name. So a name
    belongs to one credential of a team, until that one is revoked or over; only rotation puts
    another in its place before.

    :raises ValidationFailed: for a name too long or a scope that does not exist
    :raises CredentialAlreadyExists: for a name that a program of the team goes by
    :raises UnknownTopic: for a malformed pattern
    :raises PermissionDenied: for a scope, team or topics that the issuer does not have
    """
    if len(name) > LONGEST_NAME:
        raise ValidationFailed(f"A name has at most {LONGEST_NAME} characters.", field="name")
    unknown = sorted(set(scopes) - scope_words.SCOPES)
    if unknown:
        raise ValidationFailed(
            f"There is no scope {', '.join(unknown)}; there are "
            f"{', '.join(sorted(scope_words.SCOPES))}.",
            scopes=unknown,
        )
    fields = _checked(
        principal,
        name=name,
        scopes=scopes,
        patterns=patterns or (),
        team_id=team_id,
        lifetime=lifetime,
    )
    _claim(name, team_id=team_id)
    return mint(**fields)


def _checked(
    principal: Principal,
    *,
    name: str,
    scopes: Sequence[str],
    patterns: Sequence[str],
    team_id: int,
    lifetime: timedelta | None,
) -> dict[str, Any]:
    """What a credential is made of, if the principal may give it."""
    beyond = [scope for scope in scopes if not principal.allows(scope)]
    if beyond or not principal.sees_team(team_id):
        raise PermissionDenied("Nobody can give more than they have.", scopes=beyond)
    return {
        "name": name,
        "scopes": sorted(set(scopes)),
        "patterns": granted(principal, patterns),
        "team_id": team_id,
        "created_by": principal.actor,
        "expires_at": timezone.now() + lifetime if lifetime else None,
    }


def _claim(name: str, *, team_id: int) -> None:
    # Nobody else gives the name meanwhile; rows that refer to the team may be written.
    list(Group.objects.filter(pk=team_id).select_for_update(no_key=True))
    programs = Credential.objects.usable(at=timezone.now()).filter(session=None, team_id=team_id)
    # One without a name goes by its prefix.
    if name and programs.filter(Q(name=name) | Q(name="", prefix=name)).exists():
        raise CredentialAlreadyExists(name=name)


def mint(**fields: Any) -> Issued:
    """A credential with a fresh secret, in the caller's transaction."""
    prefix, secret = secrets.token_hex(5), secrets.token_urlsafe(32)
    whole = f"{MARK}_{prefix}_{secret}"
    credential = Credential.objects.create(prefix=prefix, digest=digest(whole), **fields)
    return Issued(credential, whole)


def session_token(
    *,
    principal: Principal,
    session_id: UUID,
    team_id: int,
    component: str = "",
    patterns: Sequence[str] = (),
    lifetime: timedelta | None = None,
) -> Issued:
    """
    A credential that opens the two sockets of one session, in the caller's transaction.

    :raises ComponentNotFound: if it shall be for one component and there is none such
    :raises PermissionDenied: for topics that the issuer does not have
    """
    row = selectors.find(component, session_id=session_id) if component else None
    issued = mint(
        name="session token",
        scopes=list(SESSION_TOKEN_SCOPES),
        patterns=granted(principal, patterns),
        session_id=session_id,
        component=row,
        team_id=team_id,
        created_by=principal.actor,
        expires_at=timezone.now() + lifetime if lifetime else None,
    )
    _tell(ComponentEvent.CREDENTIAL_ISSUED, issued.credential, principal)
    return issued


def granted(principal: Principal, patterns: Sequence[str]) -> list[str]:
    """
    The topic patterns of a new secret: those asked for, else all that its issuer has.

    :raises UnknownTopic: for a malformed pattern
    :raises PermissionDenied: for one beyond the issuer's own
    """
    own = principal.patterns or EVERY_TOPIC
    beyond = [one for one in patterns if not topics.covers(own, topics.check_pattern(one))]
    if beyond:
        raise PermissionDenied("Nobody can give more than they have.", patterns=beyond)
    return list(patterns or own)


def verify(secret: str, *, transport: str) -> Credential:
    """
    The credential that a secret opens; its last use is noted at most once a minute.

    :raises NotAuthenticated: for a secret that is unknown, expired or revoked
    """
    found = look_up(secret)
    if found is None or not found.is_usable(at=timezone.now()):
        raise NotAuthenticated("The credential is not valid.")
    uses.note(found, transport=transport)
    return found


def look_up(secret: str) -> Credential | None:
    """The credential of a secret, usable or not; None for a secret that never was one."""
    mark, _, rest = secret.partition("_")
    # A database may refuse to compare what no secret of ours is made of.
    prefix = rest.partition("_")[0] if mark == MARK and rest.isprintable() else ""
    found = next(iter(_of_prefix(prefix=prefix)), None)
    # The digest is compared also when there is no row, so that time tells nothing.
    is_same = hmac.compare_digest(found.digest if found else "0" * 64, digest(secret))
    return found if is_same else None


_of_prefix = Prepared(
    lambda prefix: Credential.objects.filter(prefix=prefix).select_related("session")
)


def principal_of(credential: Credential, *, transport: str) -> Principal:
    """Who asks when this credential was shown."""
    teams = frozenset({credential.team_id}) if credential.team_id else frozenset()
    return Principal(
        kind="component" if credential.session_id else "credential",
        id=f"credential:{credential.pk}",
        label=credential.name or credential.prefix,
        scopes=frozenset(credential.scopes),
        teams=teams,
        credential_id=str(credential.pk),
        session_id=str(credential.session_id) if credential.session_id else None,
        component_id=str(credential.component_id) if credential.component_id else None,
        patterns=tuple(credential.patterns),
        transport=transport,
    )


@command("credential.rotate", scope="credentials:write")
def rotate(
    *, principal: Principal, credential: UUID | str, overlap: timedelta = timedelta()
) -> Issued:
    """
    Put a fresh secret with the same rights in the place of a credential.

    The old one opens everything until ``overlap`` is over, at most until its own end. What had an
    end gets one as far away as that was when it was issued.

    :raises CredentialNotFound: if there is none in the teams of the principal
    :raises ValidationFailed: for one that opens nothing any more, or is of a session
    :raises PermissionDenied: for rights that the principal does not have
    """
    found, now = selectors.credential(principal, str(credential)), timezone.now()
    row = Credential.objects.select_for_update(no_key=True).get(pk=found.pk)
    if row.session_id is not None or row.team_id is None or not row.is_usable(at=now):
        raise ValidationFailed("Only a program's credential that is in use can be rotated.")
    fields = _checked(
        principal,
        name=row.name,
        scopes=row.scopes,
        patterns=row.patterns,
        team_id=row.team_id,
        lifetime=row.expires_at - row.created_at if row.expires_at else None,
    )
    issued = mint(**fields)
    ends_at = now + overlap
    row.expires_at = min(ends_at, row.expires_at) if row.expires_at else ends_at
    row.save(update_fields=["expires_at"])
    hints.send(hints.Hint("credential", str(row.pk)))
    return issued


@command("credential.revoke", scope="credentials:write")
def revoke(*, principal: Principal, credential: UUID | str) -> Credential:
    """
    Make a credential open nothing any more; sockets that it opened are closed.

    :raises CredentialNotFound: if there is none in the teams of the principal
    """
    found = selectors.credential(principal, str(credential))
    row = Credential.objects.select_for_update(no_key=True).get(pk=found.pk)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        _tell(ComponentEvent.CREDENTIAL_REVOKED, row, principal)
        hints.send(hints.Hint("credential", str(row.pk)))
    return row


def _tell(event: ComponentEvent, credential: Credential, principal: Principal) -> None:
    # Only what is of one session is told in its ledger; the rest stands in the audit.
    if credential.session_id is not None:
        component_id = credential.component_id
        ledger.append(
            session_id=credential.session_id,
            type=event.value,
            actor=principal.actor,
            credential_id=str(credential.pk),
            name=credential.name,
            component_id=str(component_id) if component_id else None,
        )


def digest(secret: str) -> str:
    """The SHA-256 of a secret in hex; secrets are random, so a slow hash adds nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()
