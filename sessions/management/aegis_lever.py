"""`aegis session start|pause|stop …`: the lever of sessions."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.core import lifecycle as machine
from sessions.core.lifecycle import CLOSED, State
from sessions.management import output, session_options, session_tables, verbs, waiting
from sessions.management.output import How
from sessions.management.session_options import Reason, Reference, References, Timeout, Value, Wait
from sessions.management.verbs import As, DryRun, Json, Quiet, Results, Yes, verb
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services import lifecycle
from sessions.services.outcome import Outcome

Pull = Callable[[Session], Outcome]


@verb
def start(
    session: References,
    *,
    reason: Reason = "",
    wait: Wait = None,
    timeout: Timeout = 30.0,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Run sessions, at once or when their required components are ready.

    Example: aegis session start demo --wait running --timeout 30
    """
    principal = verbs.acting(as_user)
    many = Several("start", principal, session, How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.start(principal=principal, session=row, reason=reason),
        is_dry=dry_run,
        wait=wait,
        timeout=timeout,
    )


@verb
def pause(
    session: References,
    *,
    reason: Reason = "",
    wait: Wait = None,
    timeout: Timeout = 30.0,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Hold sessions where they are; connections stay.

    Example: aegis session pause demo --reason lunch
    """
    principal = verbs.acting(as_user)
    many = Several("pause", principal, session, How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.pause(principal=principal, session=row, reason=reason),
        is_dry=dry_run,
        wait=wait,
        timeout=timeout,
    )


@verb
def stop(
    session: References,
    *,
    reason: Reason = "",
    wait: Wait = None,
    timeout: Timeout = 30.0,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Release the components of sessions; they can be started again.

    Example: aegis session stop demo
    """
    principal = verbs.acting(as_user)
    many = Several("stop", principal, session, How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.stop(principal=principal, session=row, reason=reason),
        is_dry=dry_run,
        wait=wait,
        timeout=timeout,
    )


@verb
def complete(
    session: Reference,
    *,
    result: Value = "null",
    reason: Reason = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Close a session with a result.

    Example: aegis session complete demo --result '{"rows": 3}'
    """
    principal = verbs.acting(as_user)
    found = session_options.value(result, option="--result")
    many = Several("complete", principal, [session], How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.complete(
            principal=principal, session=row, result=found, reason=reason
        )
    )


@verb
def fail(
    session: Reference,
    *,
    error: Annotated[str, typer.Option(help="What broke.")],
    reason: Reason = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say that a session broke; its connections stay.

    Example: aegis session fail demo --error 'the feed lies'
    """
    principal = verbs.acting(as_user)
    said = {"code": "SESSION_FAILED", "message": error, "details": {}}
    many = Several("fail", principal, [session], How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.fail(principal=principal, session=row, error=said, reason=reason)
    )


@verb
def end(
    session: References,
    *,
    reason: Reason = "",
    is_sure: Yes = False,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Close sessions for good.

    Example: aegis session end demo --reason done --yes
    """
    principal = verbs.acting(as_user)
    many = Several("end", principal, session, How(is_json, is_quiet))
    many.ask(is_sure=is_sure or dry_run)
    many.run(
        lambda row: lifecycle.end(principal=principal, session=row, reason=reason), is_dry=dry_run
    )


@verb
def delete(
    session: References,
    *,
    is_sure: Yes = False,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    End sessions that are open, and hide them.

    Example: aegis session delete demo --yes
    """
    principal = verbs.acting(as_user)
    many = Several("delete", principal, session, How(is_json, is_quiet))
    many.ask(is_sure=is_sure or dry_run)
    many.run(lambda row: lifecycle.delete(principal=principal, session=row), is_dry=dry_run)


def add_to(app: Typer[Any, Any]) -> None:
    """Make the lever's commands verbs of a noun; resume is another word for start."""
    for command in (start, pause, stop, complete, fail, end, delete):
        app.command()(command)
    app.command("resume", help="The same as start.")(start)


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
        results = verbs.each(self.references, lambda one: pull(self._find(one)))
        for done in results.done:
            if wait is not None:
                waiting.until(done.session, wait, timeout_seconds=timeout)
        self._tell(results)
        results.end(self.how)

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
        words = [output.state(row.state), session_tables.key(row)]
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
        if self.name == "delete":
            return "hide" if State(row.state) in CLOSED else "end and hide"
        if self.name not in row.legal():
            return "be refused"
        target = machine.TRANSITIONS[State(row.state)].get(self.name)
        return "do nothing" if target == row.state else f"{self.name}"
