"""Saying whose a session is."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from aegis_project.kit.errors import InvalidState, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import texts
from sessions.core.approvals import State
from sessions.core.company import SHARED
from sessions.core.events import SessionEvent
from sessions.models import Approval, Session
from sessions.selectors import owners
from sessions.services import moving, telling
from sessions.services.moving import Reference
from streaming.services.commands import Trace, command

SCOPE = "sessions:write"


@dataclass(frozen=True, slots=True)
class Assigned:
    """A session and whose it was before; ``is_changed`` is False where it was theirs already."""

    session: Session
    previous: str
    reason: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether it is somebody else's now."""
        return owners.name(self.session) != self.previous

    def audit(self) -> Trace:
        row = self.session
        detail = {"from": self.previous, "to": owners.name(row)}
        if self.reason:
            detail["reason"] = self.reason
        return Trace(session_id=row.pk, target=row.key, detail=detail)


@command("session.assign", scope=SCOPE)
def assign(*, principal: Principal, session: Reference, owner: str, reason: str = "") -> Assigned:
    """
    Make an open session that of a person of its team, by name, or with ``shared`` the team's.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it is closed, or while a decision waits that its owner may not make
    :raises ValidationFailed: for whoever is not of its team, or a reason that is too long
    """
    texts.check(reason=reason)
    row = moving.locked(principal, session)
    previous = owners.name(row)
    user = check(row, owner)
    if owner != previous:
        _keep(row, user, owner, principal)
    return Assigned(row, previous, reason)


def check(row: Session, owner: str) -> User | None:
    """
    Who would be the owner, None for the team.

    :raises InvalidState: as :func:`assign`
    :raises ValidationFailed: as :func:`assign`
    """
    if not row.is_open:
        raise moving.illegal(row, "assign", f"Cannot assign a session that is {row.state}.")
    waits = Approval.objects.filter(session=row, state=State.PENDING.value)
    # Whoever gives a session away could decide then on what its owner may not.
    if any(who.get("not_owner") for who in waits.values_list("who", flat=True)):
        raise InvalidState(
            "A decision waits that the owner of the session may not make.",
            **{"from": row.state, "command": "assign", "allowed": row.legal()},
        )
    return None if owner == SHARED else _member(row, owner)


def _member(row: Session, owner: str) -> User:
    found = (
        owners.possible([row.team_id]).filter(username=owner).first()
        if owner.isprintable()
        else None
    )
    if found is None:
        raise ValidationFailed(
            f"The team {row.team.name} has nobody of this name; {SHARED} is the team itself.",
            field="owner",
        )
    return found


def _keep(row: Session, user: User | None, owner: str, principal: Principal) -> None:
    row.owner, row.owner_label = user, owner
    row.version += 1
    row.save()
    fields = ["owner", "owner_label"]
    telling.tell(row, SessionEvent.UPDATED, actor=principal.actor, fields=fields)
