"""What policies would say of a call that nobody makes."""

from collections.abc import Sequence
from typing import Any

from aegis_project.kit.principal import Principal
from sessions.core import policy
from sessions.core.policy import Facts, Verdict
from sessions.selectors import policies

DRAFT = "draft"


def judge(
    *, principal: Principal, facts: Facts, slugs: Sequence[str], rules: Sequence[Any]
) -> Verdict:
    """
    The verdict of these policies and rules, of which the most severe counts; nothing is written.

    :raises PermissionDenied: without the scope policies:read
    :raises PolicyNotFound: for one that is not there for the principal
    :raises ValidationFailed: for rules that cannot be
    """
    principal.require("policies:read")
    found = [(slug, policy.read(policies.find(principal, slug).rules)) for slug in slugs]
    found.append((DRAFT, policy.read(list(rules))))
    return policy.decided([policy.judge(read, facts, policy=slug) for slug, read in found], facts)
