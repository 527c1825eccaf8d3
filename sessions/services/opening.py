"""Sessions that run from the moment they are made, alone or for everybody who asks."""

from django.contrib.auth.models import Group
from django.db.models import Q

from aegis_project.kit.principal import Principal
from aegis_project.rates import Counted
from sessions.core.company import SHARED
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.selectors import teams
from sessions.services import creation, moving
from sessions.services.creation import Draft
from sessions.services.outcome import Outcome
from streaming.services.commands import command

# Where a session says of itself that it is shared, whoever owns it.
IS_SHARED = "isShared"


@command("session.create", scope="sessions:write", rate=Counted.CREATE)
def open_(*, principal: Principal, draft: Draft) -> Outcome:
    """
    Make a session and start it, in one.

    One that is to be shared is made once: who asks for it while the team has one that runs, for
    the same environment, gets that. Those that ask at the same time are served one by one.

    :raises PermissionDenied: without the scope sessions:control, too
    :raises ValidationFailed: for a text that cannot be
    """
    principal.require("sessions:control")
    found = _shared(principal, draft) if _is_shared(draft) else None
    if found is not None:
        return Outcome(found, found.state)
    made = creation.make(principal=principal, draft=draft)
    moving.begin(made.session, actor=principal.actor)
    return made


def _is_shared(draft: Draft) -> bool:
    return draft.owner_label == SHARED or draft.metadata.get(IS_SHARED) is True


def _shared(principal: Principal, draft: Draft) -> Session | None:
    team = teams.for_new(principal, draft.team)
    # Nobody makes another one meanwhile; rows that refer to the team may be written.
    list(Group.objects.filter(pk=team.pk).select_for_update(no_key=True))
    rows = Session.objects.present().filter(
        Q(owner_label=SHARED) | Q(**{f"metadata__{IS_SHARED}": True}),
        team=team,
        state=State.RUNNING.value,
        environment=draft.environment.value,
    )
    return rows.order_by("created_at", "pk").first()
