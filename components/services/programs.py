"""Defining what may run; nobody but an administrator can."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from components import selectors
from components.core import programs
from components.core.errors import ProgramAlreadyExists, ProgramNotFound
from components.core.programs import Draft
from components.models import Program
from streaming.services.commands import Trace, command

SCOPE = "programs:write"
FIELDS = tuple(Draft.__dataclass_fields__)


class Defined(NamedTuple):
    """A program as it is now; the audit says what would run, but no value of its environment."""

    program: Program

    def audit(self) -> Trace:
        row = self.program
        detail = {
            "name": row.name,
            "argv": row.argv,
            "directory": row.directory,
            "variables": sorted(row.environment),
        }
        return Trace(session_id=None, target=str(row.pk), detail=detail)


@command("program.define", scope=SCOPE)
def define(*, principal: Principal, draft: Draft, team: Group | None = None) -> Defined:
    """
    Register a program for one team, or for every team.

    :raises ValidationFailed: for a field that cannot be
    :raises ProgramAlreadyExists: if there is one of this name
    """
    values = asdict(draft) | {"argv": list(draft.argv), "restart": draft.restart.value}
    programs.check(values)
    return Defined(_save(Program(**values, team=team, created_by=principal.actor)))


@command("program.change", scope=SCOPE)
def change(*, principal: Principal, program: UUID, changes: Mapping[str, Any]) -> Defined:
    """
    Change fields of a program and its team; processes that run go on as they were started.

    :raises ProgramNotFound: if there is none
    :raises ValidationFailed: for a field that is none, or a value that cannot be
    :raises ProgramAlreadyExists: if there is another of this name
    """
    unknown = sorted(changes.keys() - {*FIELDS, "team"})
    if unknown:
        raise ValidationFailed("A program has no such fields.", fields=unknown)
    row = _locked(principal, program)
    programs.check(changes)
    for name, value in changes.items():
        setattr(row, name, list(value) if name == "argv" else value)
    return Defined(_save(row))


@command("program.remove", scope=SCOPE)
def remove(*, principal: Principal, program: UUID) -> Defined:
    """
    Forget a program; what runs of it is stopped.

    :raises ProgramNotFound: if there is none
    """
    row = _locked(principal, program)
    removed = Defined(Program.objects.get(pk=row.pk))
    row.delete()
    return removed


def _locked(principal: Principal, program: UUID) -> Program:
    rows = selectors.programs(principal).select_for_update(of=("self",), no_key=True)
    row: Program | None = rows.filter(pk=program).first()
    if row is None:
        raise ProgramNotFound(program=str(program))
    return row


def _save(row: Program) -> Program:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ProgramAlreadyExists(f"A program {row.name} exists.", name=row.name) from None
    return row
