"""`aegis approval`: what waits for people, and their decisions."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from django.utils import timezone
from django_typer.management import Typer

from sessions.api import approval_documents as documents
from sessions.core.approvals import State
from sessions.core.freshness import Known
from sessions.core.policy import Remember
from sessions.management import approval_batch as batch
from sessions.management import (
    approval_watch,
    far_approvals,
    output,
    session_options,
    situations,
    verbs,
)
from sessions.management.output import How, Misused
from sessions.management.verbs import As, DryRun, Json, Quiet, elsewhere, verb
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.selectors import beginnings, sessions, situation
from sessions.services import approvals, handing
from sessions.services.batches import Order
from streaming.api import codecs
from streaming.selectors import pages

app: Typer[..., Any] = Typer(
    help="Approvals: list, watch, show, claim, hand over, approve and reject them."
)

Id = Annotated[str, typer.Argument(metavar="APPROVAL", help="Its id, or the beginning of it.")]
Ids = Annotated[
    list[str],
    typer.Argument(metavar="APPROVAL...", help="Ids; several of one tool, agent or session."),
]
Reason = Annotated[str, typer.Option(help="Why; the agent is told.")]


@app.command("list")
@verb
@elsewhere(far_approvals.several)
def several(
    *,
    session: Annotated[str, typer.Option(help="Only those of this session.")] = "",
    state: Annotated[State, typer.Option(help="Only those in this state.")] = State.PENDING,
    mine: Annotated[bool, typer.Option("--mine", help="Only those that are with you.")] = False,
    expiring: Annotated[
        float, typer.Option(min=0, help="Only those with so many seconds left.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List what waits for people, the most urgent first.

    Examples: aegis approval list --expiring 60;
    aegis approval list --session demo --state approved --json
    """
    principal = verbs.acting(as_user)
    rows = reading.readable(principal).filter(state=state.value)
    if session:
        rows = rows.filter(session=sessions.resolve(principal, session))
    if mine:
        rows = rows.filter(claimed_by__in=reading.names(principal))
    if expiring:
        rows = reading.expiring(rows, seconds=expiring)
    page = pages.page(rows, order="expires_at", cursor="", limit=limit)
    output.show(
        How(is_json, is_quiet),
        "approval.list",
        data=lambda: [codecs.show(documents.approval(one)) for one in page.rows],
        ids=[str(one.pk) for one in page.rows],
        table=lambda: table(page.rows),
        has_more=bool(page.next),
    )


@app.command()
@verb
@elsewhere(far_approvals.show)
def show(approval: Id, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show what is asked, and what it rests on, then and now.

    Examples: aegis approval show 5f0c…; aegis approval show 5f0c… --json
    """
    principal = verbs.acting(as_user)
    row = reading.read(principal, beginnings.approval(principal, approval))
    now = situations.known(row)
    document = codecs.show(documents.card(row, now=now, precedents=reading.precedents(row)))
    lines = "\n".join(described(row, now))
    output.show_one(
        How(is_json, is_quiet), "approval.show", document, identity=str(row.pk), sentence=lines
    )


@app.command()
@verb
@elsewhere(far_approvals.approve)
def approve(
    approval: Ids,
    *,
    edit: Annotated[
        list[str] | None,
        typer.Option("--edit", metavar="NAME=VALUE", help="Another value of an argument, as JSON."),
    ] = None,
    remember: Annotated[str, typer.Option(help="Make a rule of it: run, session or agent.")] = "",
    reason: Reason = "",
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let calls by; one alone with other arguments if you say so.

    Examples: aegis approval approve 5f0c… --edit quantity=3 --reason 'Half of it.';
    aegis approval approve 5f0c… 91ab… --remember session --dry-run
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    if is_dry or len(approval) > 1:
        if edit or remember:
            raise Misused("Arguments are edited, and rules made, of one approval at a time.")
        ids = [beginnings.approval(principal, one) for one in approval]
        orders = [Order(one, approved=True, reason=reason) for one in ids]
        act = batch.plan if is_dry else batch.decide
        act("approve", principal=principal, orders=orders, look=situations.known, how=how)
        return
    one = beginnings.approval(principal, approval[0])
    # One that is out of sight is refused by the command.
    row = next(iter(reading.several(principal, [one])), None)
    values = session_options.assigned(edit or [], option="--edit")
    decided = approvals.decide(
        principal=principal,
        approval=one,
        approved=True,
        reason=reason,
        edited_arguments={**row.tool_call.arguments, **values} if row and values else None,
        remember=codecs.read({"scope": remember}, Remember) if remember else None,
        evidence=situations.known(row) if row else None,
    )
    tell(how, "approval.approve", decided.approval)


@app.command()
@verb
@elsewhere(far_approvals.reject)
def reject(
    approval: Ids,
    *,
    reason: Reason = "",
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let calls not by.

    Examples: aegis approval reject 5f0c… --reason 'Too much at once.';
    aegis approval reject 5f0c… 91ab… --dry-run
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    if is_dry or len(approval) > 1:
        ids = [beginnings.approval(principal, one) for one in approval]
        orders = [Order(one, approved=False, reason=reason) for one in ids]
        act = batch.plan if is_dry else batch.decide
        act("reject", principal=principal, orders=orders, look=situations.known, how=how)
        return
    one = beginnings.approval(principal, approval[0])
    decided = approvals.decide(principal=principal, approval=one, approved=False, reason=reason)
    tell(how, "approval.reject", decided.approval)


@app.command()
@verb
@elsewhere(far_approvals.claim)
def claim(
    approval: Id,
    *,
    release: Annotated[bool, typer.Option("--release", help="You no longer look at it.")] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let the others see that you look at it.

    Examples: aegis approval claim 5f0c…; aegis approval claim 5f0c… --release
    """
    principal = verbs.acting(as_user)
    one = beginnings.approval(principal, approval)
    row = approvals.claim(principal=principal, approval=one, release=release)
    tell(How(is_json, is_quiet), "approval.claim", row)


@app.command("hand-over")
@verb
@elsewhere(far_approvals.hand_over)
def hand_over(
    approval: Id,
    to: Annotated[str, typer.Argument(help="A user's name, or a role: role:approver.")],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Leave it to somebody else who may decide on it.

    Examples: aegis approval hand-over 5f0c… role:approver;
    aegis approval hand-over 5f0c… olga --json
    """
    principal = verbs.acting(as_user)
    one = beginnings.approval(principal, approval)
    found = handing.hand_over(principal=principal, approval=one, to=to)
    tell(How(is_json, is_quiet), "approval.hand-over", found.approval)


def described(row: Approval, now: Known | None) -> list[str]:
    """What a person wants to know before they decide."""
    call = row.tool_call
    lines = [
        f"{row.pk}  {row.state}  {left(row)}",
        f"{row.run.agent_slug} in {row.session.key} asks for {call.tool} ({call.risk} risk)",
        *(f"  {name} = {output.dump(value)}" for name, value in call.arguments.items()),
        f"rule {row.rule}",
    ]
    for topic in situation.topics_of(row):
        then = row.evidence.get(topic)
        current = None if now is None else now.get(topic)
        lines.append(f"{topic}: then {_value(then)}, now {_value(current)}")
    lines += [f"moved: {one.topic} ({one.why})" for one in situation.moved(row, now) or []]
    if row.decided_by:
        lines.append(f"{row.state} by {row.decided_by}{f': {row.reason}' if row.reason else ''}")
    return lines


def _value(known: Any) -> str:
    return output.dump(known["value"]) if known else "unknown"


def left(row: Approval) -> str:
    """How long there is to decide."""
    if not row.is_open:
        return ""
    if row.clock_stopped_at is not None:
        return "its clock stands"
    seconds = (row.expires_at - timezone.now()).total_seconds()
    return f"{seconds:.0f} s left" if seconds > 0 else "over"


def tell(how: How, name: str, row: Approval) -> None:
    """One approval in the form that was asked for."""
    document = codecs.show(documents.approval(row))
    output.show_one(how, name, document, identity=str(row.pk), sentence=batch.sentence(row))


def table(rows: Sequence[Approval]) -> dict[str, list[str]]:
    """The columns of a list of approvals."""
    return {
        "APPROVAL": [str(row.pk) for row in rows],
        "SESSION": [row.session.key for row in rows],
        "AGENT": [row.run.agent_slug for row in rows],
        "TOOL": [row.tool_call.tool for row in rows],
        "RISK": [row.tool_call.risk for row in rows],
        "STATE": [row.state for row in rows],
        "LEFT": [left(row) for row in rows],
        "CLAIMED": [row.claimed_by for row in rows],
    }


approval_watch.add_to(app)
