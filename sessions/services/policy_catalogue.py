"""Making, changing and removing policies."""

from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from aegis_project.kit.errors import PermissionDenied, PreconditionFailed, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import policy as rules_of
from sessions.core.errors import PolicyAlreadyExists, PolicyInUse
from sessions.models import Agent, Policy
from sessions.selectors import policies
from streaming.services.commands import Trace, command

EDITABLE = ("name", "description", "rules")
RESERVED = frozenset({"try"})
LONGEST = {"slug": 100, "name": 200, "description": 10_000}


class Changed:
    """A policy after a command, and the rules before it."""

    def __init__(self, policy: Policy, before: list[Any] | None = None) -> None:
        self.policy = policy
        self._before = before

    def audit(self) -> Trace:
        detail: dict[str, Any] = {"version": self.policy.version, "rules": self.policy.rules}
        if self._before is not None:
            detail["before"] = self._before
        return Trace(session_id=None, target=self.policy.slug, detail=detail)


@command("policy.define", scope="policies:write")
def define(
    *,
    principal: Principal,
    slug: str,
    rules: list[Any],
    name: str = "",
    description: str = "",
    team: Group | None = None,
) -> Changed:
    """
    Make a policy, of one team or, by whoever sees all, of everybody.

    :raises ValidationFailed: for rules or texts that cannot be
    :raises PermissionDenied: for a team that the principal is not of
    :raises PolicyAlreadyExists: if there is one of this name
    """
    _check(slug=slug, name=name, description=description)
    if slug in RESERVED:
        raise ValidationFailed(f"{slug} is the name of an address.", field="slug")
    rules_of.read(rules)
    _check_reach(principal, team.pk if team else None)
    policies.ready()
    row = Policy(slug=slug, name=name or slug, description=description, rules=rules, team=team)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise PolicyAlreadyExists(f"A policy {slug} exists.", policy=slug) from None
    return Changed(row)


@command("policy.change", scope="policies:write")
def change(
    *, principal: Principal, policy: str, changes: dict[str, Any], version: int | None = None
) -> Changed:
    """
    Change a policy; ``version`` is what the caller last saw. What waits is decided as it was asked.

    :raises PolicyNotFound: if it is not there for the principal
    :raises PermissionDenied: if it is of the system, or of everybody and the principal is not
    :raises PreconditionFailed: if it has moved on since
    :raises ValidationFailed: for rules or texts that cannot be
    """
    row = _own(principal, policy)
    if version is not None and version != row.version:
        raise PreconditionFailed(version=row.version)
    given = {name: changes[name] for name in EDITABLE if name in changes}
    _check(**{name: text for name, text in given.items() if name in LONGEST})
    if "rules" in given:
        rules_of.read(given["rules"])
    before = row.rules
    for name, value in given.items():
        setattr(row, name, value)
    row.version += 1
    row.save()
    return Changed(row, before)


@command("policy.remove", scope="policies:write")
def remove(*, principal: Principal, policy: str) -> Changed:
    """
    Remove a policy that no agent goes by; a session that names it is asked about everything.

    :raises PolicyNotFound: if it is not there for the principal
    :raises PermissionDenied: if it is of the system, or of everybody and the principal is not
    :raises PolicyInUse: naming the agents
    """
    row = _own(principal, policy)
    agents = sorted(Agent.objects.filter(policy=row).values_list("slug", flat=True))
    if agents:
        raise PolicyInUse(agents=agents[:20])
    gone = Changed(row, row.rules)
    Policy.objects.filter(pk=row.pk).delete()
    return gone


def _own(principal: Principal, slug: str) -> Policy:
    found = policies.find(principal, slug)
    if found.is_system:
        raise PermissionDenied("A policy of the system does not change.", policy=slug)
    _check_reach(principal, found.team_id)
    return Policy.objects.select_for_update(of=("self",), no_key=True).get(pk=found.pk)


def _check_reach(principal: Principal, team_id: int | None) -> None:
    # What holds for every team is for whoever sees every team.
    is_reached = principal.teams is None if team_id is None else principal.sees_team(team_id)
    if not is_reached:
        raise PermissionDenied("There is no such team for you.")


def _check(**texts: str) -> None:
    for field, text in texts.items():
        if len(text) > LONGEST[field] or "\x00" in text:
            raise ValidationFailed(f"{field} has at most {LONGEST[field]} characters.", field=field)
