"""One command of the lever for several sessions."""

from collections.abc import Callable, Collection
from typing import Any

from aegis_project.kit.principal import Principal
from sessions.core import lifecycle as machine
from sessions.core.lifecycle import CLOSED, State
from sessions.management import named, output, session_tables, verbs, waiting
from sessions.management.output import How
from sessions.management.verbs import Results
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services.outcome import Outcome

Pull = Callable[[Session], Outcome]
# They do something also where the state stays.
ALWAYS_ACT = frozenset({"restart", "recover"})


class Several:
    """One command for several sessions."""

    def __init__(self, name: str, principal: Principal, references: list[str], how: How) -> None:
        self.name = name
        self.principal = principal
        self.references = references
        self.how = how

    def ask(self, *, is_sure: bool) -> None:
        """
        Go on only if somebody is sure of what cannot be taken back.

        :raises Misused: where nobody can be asked
        """
        many = ", ".join(self.references[:5]) + (" …" if len(self.references) > 5 else "")
        verbs.confirm(f"{self.name.capitalize()} {many}?", is_sure=is_sure)

    def run(
        self,
        pull: Pull,
        *,
        is_dry: bool = False,
        wait: State | None = None,
        timeout: float = 0.0,
    ) -> None:
        """Pull for each, or say what would happen; then wait for each, if asked."""
        if is_dry:
            self._plan()
            return
        results = verbs.each(self.references, lambda one: pull(self._meant(one)))
        for done in results.done:
            if wait is not None:
                waiting.until(done.session, wait, timeout_seconds=timeout)
        self._tell(results)
        results.end(self.how)

    def _meant(self, reference: str) -> Session:
        return named.session(self.principal, reference, of=f"session.{self.name}")

    def _find(self, reference: str) -> Session:
        return sessions.resolve(self.principal, reference)

    def _tell(self, results: Results[Outcome]) -> None:
        rows = [one.session for one in results.done]
        before = [one.previous for one in results.done]
        if self.how.is_json and (rows or len(results.failures) > 1):
            refused = {name: error.as_dict() for name, error in results.failures.items()}
            data = session_tables.shown(rows, previous=before)
            output.document(f"session.{self.name}", data, count=len(rows), refused=refused)
            return
        for row, previous in zip(rows, before, strict=True):
            self._say(row, previous)

    def _say(self, row: Session, previous: str) -> None:
        if self.how.is_quiet:
            output.plain(str(row.pk))
            return
        words = [output.state(row.state), row.key]
        if row.is_starting:
            words.append("starting: waits for its components")
        elif row.state != previous:
            words.append(f"was {previous}")
        output.plain("  ".join(words))

    def _plan(self) -> None:
        results = verbs.each(self.references, self._find)
        rows = results.done
        output.show(
            self.how,
            f"session.{self.name}.plan",
            data=lambda: [{**one, "would": self._would(row)} for one, row in self._shown(rows)],
            ids=[str(row.pk) for row in rows],
            table=lambda: {
                **session_tables.table(rows),
                "WOULD": [self._would(row) for row in rows],
            },
        )
        results.end(How())

    def _shown(self, rows: list[Session]) -> list[tuple[dict[str, Any], Session]]:
        return list(zip(session_tables.shown(rows), rows, strict=True))

    def _would(self, row: Session) -> str:
        return would(self.name, row.state, row.legal())


def would(name: str, state: str, allowed: Collection[str]) -> str:
    """What a command would do with a session in this state, in words."""
    if name == "delete":
        return "hide" if state in CLOSED else "end and hide"
    if name not in allowed:
        return f"be refused: it is {state}"
    target = machine.TRANSITIONS[State(state)].get(name)
    return "do nothing" if target == state and name not in ALWAYS_ACT else name
