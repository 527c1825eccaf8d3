import pytest

from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from components.core.errors import ProgramAlreadyExists, ProgramNotFound
from components.core.programs import Draft
from components.core.scopes import SCOPES
from components.models import Program
from components.services import programs
from streaming.models import AuditEntry
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

DRAFT = Draft(name="feed", argv=("python", "feed.py"), environment={"KEY": "secret"})


def define(draft: Draft = DRAFT, **rest) -> Program:
    return programs.define(principal=OPERATOR, draft=draft, **rest).program


def test_a_program_is_defined_and_changed_and_both_are_audited():
    row = define()

    programs.change(
        principal=OPERATOR,
        program=row.pk,
        changes={"argv": ("true",), "restart": "always", "team": factories.team("mine")},
    )

    row.refresh_from_db()
    assert (row.argv, row.restart, row.environment) == (["true"], "always", {"KEY": "secret"})
    assert (str(row.team), row.created_by) == ("mine", "user:operator")
    entries = AuditEntry.objects.order_by("pk").values_list("command", "target", "detail")
    base = {"name": "feed", "directory": "", "variables": ["KEY"]}
    assert list(entries) == [
        ("program.define", str(row.pk), {**base, "argv": ["python", "feed.py"]}),
        ("program.change", str(row.pk), {**base, "argv": ["true"]}),
    ]


def test_nobody_but_an_administrator_defines_what_runs():
    row = define()
    others = sorted(SCOPES - {"programs:write"})
    member = factories.member(factories.team("default"), scopes=others)

    for attempt in (
        lambda: programs.define(principal=member, draft=DRAFT),
        lambda: programs.change(principal=member, program=row.pk, changes={"argv": ["sh"]}),
        lambda: programs.remove(principal=member, program=row.pk),
    ):
        with pytest.raises(PermissionDenied):
            attempt()

    assert list(Program.objects.values_list("argv", flat=True)) == [["python", "feed.py"]]
    assert AuditEntry.objects.filter(outcome="refused").count() == 3


def test_what_cannot_be_is_refused():
    row = define()
    define(Draft(name="other", argv=("x",)))

    with pytest.raises(ValidationFailed):
        define(Draft(name="bad name", argv=("x",)))
    with pytest.raises(ValidationFailed):
        programs.change(principal=OPERATOR, program=row.pk, changes={"created_by": "me"})
    with pytest.raises(ProgramAlreadyExists):
        define()
    with pytest.raises(ProgramAlreadyExists):
        programs.change(principal=OPERATOR, program=row.pk, changes={"name": "other"})


def test_a_program_of_another_team_is_not_there():
    row = define(team=factories.team("theirs"))
    admin = factories.member(factories.team("mine"))

    with pytest.raises(ProgramNotFound):
        programs.change(principal=admin, program=row.pk, changes={"argv": ["x"]})


def test_a_removed_program_is_gone():
    row = define()

    removed = programs.remove(principal=OPERATOR, program=row.pk)

    assert removed.program.name == "feed"
    assert not Program.objects.exists()
