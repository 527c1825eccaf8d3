from datetime import timedelta

import pytest
from django.utils import timezone

from sessions.core.lifecycle import Environment
from sessions.core.policy import Who
from sessions.core.tool_calls import Risk
from sessions.models import Approval
from streaming.models import AuditEntry
from tests import asking, factories
from tests.integration.admin.help import principal, text

INBOX = "/admin/aegis_sessions/approval/"


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


@pytest.fixture
def run(team):
    return asking.run(factories.session(key="desk", name="Desk"))


@pytest.fixture
def post(admin):
    """Post a verb for some approvals as they are named on the list."""

    def send(verb: str, approvals, **more: str):
        chosen = [str(getattr(one, "pk", one)) for one in approvals]
        said = {"action": verb, "_selected_action": chosen, "index": "0", **more}
        return admin.post(INBOX, said, follow=True)

    return send


def states() -> list[str]:
    return list(Approval.objects.order_by("requested_at").values_list("state", flat=True))


def test_what_would_happen_is_said_before_anything_does(post, run):
    low, more, high = (
        asking.approval(run),
        asking.approval(run, call=asking.asked(run, asking.Asking(arguments={"symbol": "ETH"}))),
        asking.approval(run, call=asking.asked(run, risk=Risk.HIGH)),
    )

    shown = text(post("approve", [low, more, high]))

    assert "Approve 2 calls?" in shown
    assert "one tool orders.place" in shown
    assert "0 runs go on, 1 waits for more." in shown
    assert "symbol ETH" in shown
    assert "Nothing. What is of high risk is approved alone." in shown
    assert states() == ["pending"] * 3


def test_each_is_a_decision_of_its_own_with_the_one_reason(post, run, superuser):
    first, second, late = (asking.approval(run) for _ in range(3))
    Approval.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    done = text(post("reject", [first, second, late], confirm="1", reason="Not today."))

    assert "2 rejected, 1 refused" in done
    assert "APPROVAL_TIMEOUT" in done
    assert states() == ["rejected", "rejected", "expired"]
    assert set(Approval.objects.values_list("reason", flat=True)) == {"Not today.", ""}
    told = AuditEntry.objects.filter(command="approval.decide")
    assert set(told.values_list("target", flat=True)) >= {str(first.pk), str(second.pk)}
    assert set(told.values_list("principal_id", flat=True)) == {principal(superuser).id}


def test_what_somebody_else_decided_meanwhile_is_told(post, run):
    gone, waiting = asking.approval(run), asking.approval(run)
    Approval.objects.filter(pk=gone.pk).update(state="rejected", decided_by="user:ana")

    done = text(post("approve", [gone, waiting], confirm="1"))

    assert "1 approved, 1 refused" in done
    assert "APPROVAL_ALREADY_DECIDED" in done


def test_a_reason_is_asked_for_where_a_rule_or_production_needs_one(post, run):
    asked = asking.approval(run, who=Who(reason=True))
    live = asking.run(factories.session(key="live", environment=Environment.PRODUCTION))

    without = text(post("reject", [asked], confirm="1"))
    production = text(post("approve", [asking.approval(live)], confirm="1"))

    assert "A rejection needs a reason here." in without
    assert "Reject 1 call?" in without
    assert "A reason is required in production." in production
    assert states() == ["pending", "pending"]


def test_what_has_nothing_in_common_is_not_decided_in_one_go(post, run):
    other = asking.run(factories.session(key="b"), of=asking.agent("other"))
    unlike = asking.approval(other, call=asking.asked(other, asking.Asking(tool="mail.send")))

    shown = text(post("approve", [asking.approval(run), unlike], confirm="1"))

    assert "A batch is of one tool, one agent or one session." in shown
    assert states() == ["pending", "pending"]


def test_whoever_only_reads_decides_on_nothing(client, person, run):
    approval = asking.approval(run)
    client.force_login(person("rita", "aegis_sessions.view_approval"))

    listed = client.get(INBOX).content.decode()
    said = {"action": "approve", "_selected_action": [str(approval.pk)], "confirm": "1"}
    client.post(INBOX, said)

    assert 'value="approve"' not in listed
    assert states() == ["pending"]


def test_a_name_that_no_approval_can_have_is_refused(post, run):
    assert post("approve", ["nonsense", asking.approval(run)], confirm="1").status_code == 400
    assert states() == ["pending"]
