"""Noting in the audit who signed in to the admin, who went, and who tried in vain."""

from django.contrib.auth.models import User

from aegis_project import database, rates
from aegis_project.kit.errors import CacheUnavailable, NotAuthenticated, RateLimited
from aegis_project.kit.principal import Principal
from aegis_project.kit.ratelimit import Rate
from streaming import metrics
from streaming.services import audit

LOGIN, LOGOUT, REFUSED = "person.login", "person.logout", "person.login_refused"
# Whoever guesses passwords may not fill the disk: beyond this, attempts are only counted.
NOTED = Rate(20, 60)


def signed_in(*, principal: Principal, address: str) -> None:
    """Note that a person signed in from an address."""
    _accept(LOGIN, principal, address)


def signed_out(*, principal: Principal, address: str) -> None:
    """Note that a person signed out."""
    _accept(LOGOUT, principal, address)


def refused(*, asking: Principal, username: str, address: str) -> None:
    """
    Note that somebody was not let in, under the name of a user if there is one.

    Another name is not written down: people type passwords there.
    """
    metrics.refusals.labels(asking.transport, "login").inc()
    try:
        rates.take("audit.login", address, rate=NOTED)
    except (RateLimited, CacheUnavailable):
        return
    is_known = User.objects.filter(username=username).exists()
    error = NotAuthenticated(f"A sign-in from {address or 'somewhere'} was refused.")
    with database.atomic():
        audit.refused(
            command=REFUSED, principal=asking, target=username if is_known else "", error=error
        )


def _accept(command: str, principal: Principal, address: str) -> None:
    with database.atomic():
        audit.accepted(
            command=command,
            principal=principal,
            session_id=None,
            target=principal.label,
            detail={"address": address},
        )
