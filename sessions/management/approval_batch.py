"""Several decisions of the command line at once: what they would do, then what became of each."""

from collections.abc import Sequence

from aegis_project.kit.principal import Principal
from sessions.api import approval_batches, approval_documents
from sessions.management import output
from sessions.management.output import How
from sessions.management.verbs import Results
from sessions.models import Approval
from sessions.services import batches
from sessions.services.batches import Look, Order, Outcome, Plan
from streaming.api import codecs


def decide(
    name: str, *, principal: Principal, orders: Sequence[Order], look: Look, how: How
) -> None:
    """Decide on each, and tell what became of it; the exit code says whether all went well."""
    found = batches.decide(principal=principal, orders=orders, look=look)
    results = _results(found)
    rows = results.done
    if how.is_json:
        refused = {key: error.as_dict() for key, error in results.failures.items()}
        shown = [codecs.show(approval_documents.approval(row)) for row in rows]
        output.document(f"approval.{name}.several", shown, count=len(rows), refused=refused)
    for row in rows if not how.is_json else ():
        output.plain(str(row.pk) if how.is_quiet else sentence(row))
    results.end(how)


def plan(name: str, *, principal: Principal, orders: Sequence[Order], look: Look, how: How) -> None:
    """Tell what deciding would do; nothing is decided."""
    found = batches.plan(principal=principal, orders=orders, look=look)
    if how.is_json:
        output.document(f"approval.{name}.plan", codecs.show(approval_batches.planned(found)))
        return
    output.tabulate(
        {
            "APPROVAL": [str(one.approval) for one in found.outcomes],
            "TOOL": [_tool(found, one) for one in found.outcomes],
            "WOULD": [f"be refused: {one.error}" if one.error else name for one in found.outcomes],
        }
    )
    output.say(f"{len(found.resumed)} runs would go on, {len(found.held)} would wait for more")


def _tool(found: Plan, one: Outcome) -> str:
    row = found.rows.get(str(one.approval))
    return row.tool_call.tool if row else "–"


def sentence(row: Approval) -> str:
    """One approval on one line."""
    return f"{row.pk}  {row.tool_call.tool}  {row.state}"


def _results(found: Sequence[Outcome]) -> Results[Approval]:
    done = [one.decided.approval for one in found if one.decided]
    failures = {str(one.approval): one.error for one in found if one.error}
    return Results(done, failures)
