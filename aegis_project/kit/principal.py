"""Who is asking: one value that every service takes and checks."""

from dataclasses import dataclass, replace
from typing import Literal

from aegis_project.kit.errors import PermissionDenied

ALL = "*"

Kind = Literal["user", "credential", "component", "agent", "open", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Principal:
    """
    A person, program, component, agent or Aegis itself, with what it may do and see.

    ``scopes`` are ``noun:verb`` words, ``*`` stands for all; ``teams`` are group ids, ``None``
    stands for every team. ``session_id`` binds a session token to its one session.
    """

    kind: Kind
    id: str
    label: str
    scopes: frozenset[str] = frozenset()
    teams: frozenset[int] | None = frozenset()
    user_id: int | None = None
    credential_id: str | None = None
    session_id: str | None = None
    component_id: str | None = None
    patterns: tuple[str, ...] = ()
    transport: str = ""
    request_id: str = ""
    idempotency_key: str = ""

    @property
    def actor(self) -> str:
        """How events and audit entries name this principal: ``kind:label``."""
        return f"{self.kind}:{self.label}"

    def allows(self, scope: str) -> bool:
        """Whether the scope was granted, by name or by ``*``."""
        return ALL in self.scopes or scope in self.scopes

    def require(self, scope: str) -> None:
        """
        Go on only with the scope.

        :raises PermissionDenied: without it
        """
        if not self.allows(scope):
            raise PermissionDenied(f"This needs the scope {scope}.", scope=scope)

    def sees_team(self, team_id: int) -> bool:
        """Whether objects of this team exist for the principal."""
        return self.teams is None or team_id in self.teams

    def via(
        self, transport: str, *, request_id: str = "", idempotency_key: str = ""
    ) -> "Principal":
        """The same principal, coming in by this transport with this request."""
        return replace(
            self, transport=transport, request_id=request_id, idempotency_key=idempotency_key
        )


ANONYMOUS = Principal(kind="anonymous", id="anonymous", label="anonymous")


def system(name: str) -> Principal:
    """Aegis itself, doing its own periodic or local work with every right in every team."""
    return Principal(
        kind="system", id=f"system:{name}", label=name, scopes=frozenset({ALL}), teams=None
    )
