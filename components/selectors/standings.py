"""How the components stand whose sockets a process holds, and what their tokens are worth."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from itertools import chain, islice
from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project.prepared import Prepared, padded
from components.core.lifecycle import State
from components.core.standing import DETACHED, Standing, token_fault
from components.models import Component, Credential
from components.selectors import session_model

# A longer question would have to be remembered for each length.
TOGETHER = 256
NOTHING: Mapping[str, int] = {}


def standings(
    component_ids: Iterable[str], *, overtime_seconds: float, seen: Mapping[str, int] = NOTHING
) -> list[Standing]:
    """
    Where these components and their sessions stand now.

    A token counts as expired when so much time has passed since its end. Those that stand as
    they did when their ``mark`` was ``seen``, by id, are left out.
    """
    at, left = timezone.now() - timedelta(seconds=overtime_seconds), map(UUID, component_ids)
    rows = chain.from_iterable(
        _standings(pks=padded(some)) for some in iter(lambda: [*islice(left, TOGETHER)], [])
    )
    found = []
    for row in rows:
        key, (error, *token) = str(row[0]), row[-3:]
        is_detached = row[2] == State.STOPPED and error == DETACHED
        fault = DETACHED if is_detached else token_fault(*token, at=at)
        mark = hash((row, fault))
        if seen.get(key) != mark:
            found.append(_standing(key, mark, fault, *row[1:-3]))
    return found


# Asked for on each hint and each second: the rest, documents above all, is not worth reading.
_standings = Prepared(
    lambda pks: Component.objects.filter(pk__in=pks).values_list(
        "pk",
        "session_id",
        "state",
        "fence",
        "is_data_connected",
        "session__state",
        "session__deleted_at",
        "error",
        "token__revoked_at",
        "token__expires_at",
    )
)


def _standing(key: str, mark: int, fault: str, *said: Any) -> Standing:
    session_id, state, fence, is_data_connected, session_state, deleted_at = said
    return Standing(
        component_id=key,
        session_id=str(session_id),
        state=state,
        fence=fence,
        is_data_connected=is_data_connected,
        is_session_open=session_model().opens_to_components(session_state, deleted_at),  # type: ignore[attr-defined]
        fault=fault,
        session_state=session_state,
        mark=mark,
    )


def registered_with(credential_ids: Collection[str]) -> set[str]:
    """Ids of the components whose last registration was with one of these credentials."""
    rows = Component.objects.filter(token_id__in=map(UUID, credential_ids)).values_list(
        "pk", flat=True
    )
    return {str(pk) for pk in rows.order_by()}


def token_faults(credential_ids: Iterable[str], *, overtime_seconds: float) -> dict[str, str]:
    """Those of these credentials that end connections, by id, and why (as in a standing)."""
    at = timezone.now() - timedelta(seconds=overtime_seconds)
    rows = Credential.objects.filter(pk__in=list(credential_ids))
    found = {
        str(pk): token_fault(*said, at=at)
        for pk, *said in rows.values_list("pk", "revoked_at", "expires_at")
    }
    return {key: fault for key, fault in found.items() if fault}
