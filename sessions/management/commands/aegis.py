"""`manage.py aegis NOUN VERB`: every noun is a module of its own and only assembled here."""

import sys
from collections.abc import Callable
from typing import Any

import typer
from django_typer.management import TyperCommand, initialize
from typer._click.exceptions import UsageError

from sessions.management import (
    aegis_agent,
    aegis_approval,
    aegis_artifact,
    aegis_audit,
    aegis_backup,
    aegis_bookmark,
    aegis_budget,
    aegis_checkpoint,
    aegis_completion,
    aegis_component,
    aegis_credential,
    aegis_demo,
    aegis_doctor,
    aegis_event,
    aegis_launcher,
    aegis_message,
    aegis_policy,
    aegis_provider,
    aegis_purge,
    aegis_quota,
    aegis_role,
    aegis_run,
    aegis_runs,
    aegis_schema,
    aegis_search,
    aegis_secrets,
    aegis_serve,
    aegis_session,
    aegis_statistics,
    aegis_tag,
    aegis_template,
    aegis_tool_server,
    aegis_topic,
    aegis_trigger,
    aegis_webhook,
    aegis_worker,
    next_steps,
    output,
    welcome,
)
from sessions.management.verbs import Exit

NOUNS = {
    "session": aegis_session.app,
    "component": aegis_component.app,
    "topic": aegis_topic.app,
    "event": aegis_event.app,
    "credential": aegis_credential.app,
    "message": aegis_message.app,
    "agent": aegis_agent.app,
    "runs": aegis_runs.app,
    "approval": aegis_approval.app,
    "checkpoint": aegis_checkpoint.app,
    "policy": aegis_policy.app,
    "provider": aegis_provider.app,
    "tool-server": aegis_tool_server.app,
    "quota": aegis_quota.app,
    "budget": aegis_budget.app,
    "role": aegis_role.app,
    "artifact": aegis_artifact.app,
    "tag": aegis_tag.app,
    "bookmark": aegis_bookmark.app,
    "template": aegis_template.app,
    "trigger": aegis_trigger.app,
    "webhook": aegis_webhook.app,
    "secrets": aegis_secrets.app,
    "audit": aegis_audit.app,
    "demo": aegis_demo.app,
}
ALONE: dict[str, Callable[..., None]] = {
    "run": aegis_run.run,
    "serve": aegis_serve.serve,
    "launcher": aegis_launcher.launcher,
    "search": aegis_search.search,
    "statistics": aegis_statistics.statistics,
    "worker": aegis_worker.worker,
    "doctor": aegis_doctor.doctor,
    "backup": aegis_backup.backup,
    "restore": aegis_backup.restore,
    "purge": aegis_purge.purge,
    "schema": aegis_schema.schema,
    "completion": aegis_completion.completion,
}


class Command(TyperCommand, rich_markup_mode=None):
    """Aegis at the command line."""

    help = "Control live sessions. Without a noun: where to begin."
    requires_system_checks: list[str] = []

    @initialize(invoke_without_command=True)
    def begin(self, context: typer.Context) -> None:
        """Say where to begin, if nothing else was asked."""
        if context.invoked_subcommand is None:
            for line in welcome.lines():
                output.plain(line)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if isinstance(error, UsageError) and self._called_from_command_line:
            super().__exit__(None, None, None)  # type: ignore[no-untyped-call]  # it has no types
            _end(error)
        return bool(super().__exit__(kind, error, trace))  # type: ignore[no-untyped-call]


def _end(error: UsageError) -> None:
    """Usage has an exit code of its own, and a page of help hides the one line that matters."""
    output.say(f"error: USAGE: {error.format_message()}")
    output.say(f"  next: {next_steps.help_step(error.ctx)}")
    sys.exit(Exit.USAGE)


for name, noun in NOUNS.items():
    Command.typer_app.add_typer(noun, name=name)
for name, command in ALONE.items():
    Command.typer_app.command(name)(command)
