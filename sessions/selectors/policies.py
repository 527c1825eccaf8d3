"""Reading policies, the rules made from decisions, and which of them concern a run."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.principal import Principal
from sessions.core import keys, policy
from sessions.core.errors import GrantNotFound, PolicyNotFound
from sessions.core.policy import Rule
from sessions.models import Grant, Policy, Run, Session

NAMES = {policy.AUTO: "Automatic", policy.MANUAL: "Manual"}


def readable(principal: Principal) -> QuerySet[Policy]:
    """
    The policies that the principal may read: those of everybody and of its teams.

    :raises PermissionDenied: without the scope policies:read
    """
    principal.require("policies:read")
    ready()
    rows = Policy.objects.select_related("team")
    if principal.teams is None:
        return rows
    return rows.filter(Q(team=None) | Q(team__in=principal.teams))


def find(principal: Principal, slug: str) -> Policy:
    """
    One policy.

    :raises PermissionDenied: without the scope policies:read
    :raises PolicyNotFound: if it is not there for the principal
    """
    found = readable(principal).filter(slug=slug).first() if "\x00" not in slug else None
    if found is None:
        raise PolicyNotFound(policy=slug[:100])
    return found


def ready() -> None:
    """Let the policies be there that exist without being made."""
    known = set(Policy.objects.filter(slug__in=policy.READY).values_list("slug", flat=True))
    for slug in sorted(policy.READY.keys() - known):
        description, rules = policy.READY[slug]
        given = {"name": NAMES[slug], "description": description, "rules": rules}
        with database.atomic():
            Policy.objects.get_or_create(slug=slug, defaults={**given, "is_system": True})


def of_run(run: Run) -> list[tuple[str, tuple[Rule, ...]]]:
    """
    The policies that concern a run, by name: that of its agent, and that of its session.

    ``config.policy`` of a session names one, else ``config.approval_mode`` one that is ready. A
    name that leads nowhere is taken for the one that always asks.
    """
    found = [run.agent.policy] if run.agent is not None and run.agent.policy is not None else []
    read = {row.slug: row.rules for row in found}
    named = of_session(run.session)
    if named and named not in read:
        read[named] = _rules(run.session, named)
    return [(slug, policy.read(rules)) for slug, rules in read.items()]


def of_session(session: Session) -> str:
    """The policy that the config of a session names; empty if it names none."""
    named = session.config.get("policy") or session.config.get("approval_mode")
    return str(named) if named else ""


def _rules(session: Session, slug: str) -> list[dict[str, object]]:
    if slug in policy.READY:
        return policy.READY[slug][1]
    own = Policy.objects.filter(Q(team=None) | Q(team=session.team_id), slug=slug)
    row = own.first() if "\x00" not in slug else None
    return row.rules if row is not None else policy.READY[policy.MANUAL][1]


def grants(principal: Principal) -> QuerySet[Grant]:
    """
    The rules made from decisions in the teams of the principal.

    :raises PermissionDenied: without the scope policies:read
    """
    principal.require("policies:read")
    rows = Grant.objects.select_related("agent", "team")
    return rows if principal.teams is None else rows.filter(team__in=principal.teams)


def grant(principal: Principal, reference: UUID | str) -> Grant:
    """
    One rule made from a decision.

    :raises PermissionDenied: without the scope policies:read
    :raises GrantNotFound: if it is not there for the principal
    """
    uuid = keys.as_uuid(str(reference))
    found = grants(principal).filter(pk=uuid).first() if uuid else None
    if found is None:
        raise GrantNotFound(grant=str(reference)[:64])
    return found


def grants_of_call(run: Run, tool: str) -> list[Grant]:
    """The rules made from decisions that hold now for a tool in a run, the oldest first."""
    of_agent = Q(
        run=None,
        session=None,
        agent=run.agent_id,
        team=run.session.team_id,
        environment=run.session.environment,
    )
    scope = Q(run=run.pk) | Q(run=None, session=run.session_id)
    if run.agent_id is not None:
        scope |= of_agent
    until = Q(until=None) | Q(until__gt=timezone.now())
    rows = Grant.objects.filter(scope, until, tool=tool, revoked_at=None)
    return list(rows.select_related("approval").order_by("created_at", "pk"))
