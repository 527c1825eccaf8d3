"""Leaving a decision to somebody else: to a person, or to whoever has a role."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from aegis_project.kit.errors import NotFound, PermissionDenied, ValidationFailed
from aegis_project.kit.principal import Principal
from components.core import scopes
from components.services import roles
from sessions.core.events import WorkEvent
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.services import asking, deciding
from sessions.services.deciding import Case
from streaming.services.commands import Trace, command


@dataclass(frozen=True, slots=True)
class Handed:
    """An approval that is with somebody else now."""

    approval: Approval

    def audit(self) -> Trace:
        row = self.approval
        detail = {"tool": row.tool_call.tool, "to": row.claimed_by}
        return Trace(session_id=row.session_id, target=str(row.pk), detail=detail)


@command("approval.hand_over", scope="approvals:decide")
def hand_over(*, principal: Principal, approval: Approval | UUID | str, to: str) -> Handed:
    """
    Leave an approval to a person (``ben``, ``user:ben``) or to a role (``role:approver``).

    It is then with them, as if they had claimed it; like a claim it binds nobody, and who may
    decide is asked again when somebody does.

    :raises ApprovalNotFound: if it is not there for the principal
    :raises ApprovalAlreadyDecided: if it was decided
    :raises NotFound: for a person who is not of its team
    :raises ValidationFailed: for whoever could not decide on it
    """
    case = deciding.locked(reading.find(principal, approval))
    row, now = case.approval, timezone.now()
    deciding.check_open(row, None, now=now)
    row.claimed_by, row.claimed_at, row.version = _receiver(case, to), now, row.version + 1
    row.save(update_fields=["claimed_by", "claimed_at", "version"])
    by = principal.actor
    told = {"by": row.claimed_by, "handed_by": by}
    asking.tell(row, WorkEvent.APPROVAL_CLAIMED, actor=by, **told)
    return Handed(row)


def _receiver(case: Case, to: str) -> str:
    kind, _, name = to.rpartition(":")
    if kind == "role":
        return _role(case, name)
    if kind not in {"", "user"}:
        raise ValidationFailed("It is handed to a user or to a role.", field="to")
    return _person(case, name)


def _role(case: Case, name: str) -> str:
    if name not in scopes.ROLES:
        raise ValidationFailed(f"The roles are {', '.join(scopes.ROLES)}.", field="to")
    if case.who.permission not in scopes.granted(set(scopes.ROLES[name])):
        raise ValidationFailed(f"Who is {name} cannot decide on it.", field="to")
    return f"{reading.ROLE}{name}"


def _person(case: Case, name: str) -> str:
    rows = User.objects.filter(Q(is_superuser=True) | Q(groups=case.session.team_id))
    found = rows.filter(username=name, is_active=True).first() if name.isprintable() else None
    if found is None:
        said = name.replace("\x00", "")[:150]
        raise NotFound(f"There is no user {said}.", user=said)
    person = roles.principal_of(found, transport="")
    try:
        deciding.check_who(case, case.who, person)
    except PermissionDenied as error:
        raise ValidationFailed(f"{name} cannot decide on it. {error.message}", field="to") from None
    return person.actor
