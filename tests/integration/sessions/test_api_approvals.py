from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from components import auth
from sessions.core.policy import Who
from sessions.core.tool_calls import Risk
from sessions.models import Approval, Run, Session
from sessions.services import approvals
from tests import asking, factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

APPROVALS = "/api/v1/approvals"


@pytest.fixture
def session() -> Session:
    return factories.session(key="desk")


@pytest.fixture
def run(session: Session) -> Run:
    return asking.run(session)


def at(approval: Approval, *parts: str) -> str:
    return "/".join((APPROVALS, str(approval.pk), *parts))


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["data"]]


def test_an_approval_is_read_with_all_that_it_is_about(program: Caller, run: Run):
    evidence = {"book.BTC": {"value": {"price": 100}, "ts": 5, "seq": 1}}
    approval = asking.approval(run, evidence=evidence, who=Who(four_eyes=True), seconds=60)

    answer = program.get(at(approval))

    document = answer.json()
    assert answer.headers["ETag"] == '"1"'
    assert document["tool_call"] == {
        "id": str(approval.tool_call_id),
        "call": "call-0",
        "name": "orders.place",
        "version": "",
        "arguments": {"symbol": "BTC", "quantity": 5},
        "asked_arguments": {"symbol": "BTC", "quantity": 5},
        "risk": "medium",
        "state": "pending",
    }
    assert (document["session_key"], document["agent"], document["rule"]) == (
        "desk",
        "trader",
        "desk/orders",
    )
    assert (document["state"], document["status"], document["version"]) == (
        "pending",
        "pending",
        1,
    )
    assert document["who"]["four_eyes"] is True
    assert (document["evidence"], document["now"], document["moved"]) == (evidence, None, [])
    assert document["parameters"] == asking.FORM
    assert document["precedents"] == []


def test_the_inbox_has_what_waits_the_most_urgent_first(program: Caller, run: Run):
    calm = asking.approval(run, seconds=600)
    urgent = asking.approval(run, seconds=30)
    decided = asking.approval(run)
    approvals.decide(principal=OPERATOR, approval=decided, approved=False)

    first = program.get(f"{APPROVALS}?limit=1").json()
    second = program.get(f"{APPROVALS}?limit=1&cursor={first['next']}").json()

    assert [first["data"][0]["id"], second["data"][0]["id"]] == [str(urgent.pk), str(calm.pk)]
    assert second["next"] == ""
    assert ids(program.get(f"{APPROVALS}?state=rejected")) == [str(decided.pk)]
    assert len(ids(program.get(f"{APPROVALS}?state=all"))) == 3


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("session=desk", 1),
        ("agent=trader", 1),
        ("agent=other", 0),
        ("tool=orders.place", 1),
        ("environment=development", 1),
        ("environment=production", 0),
        ("risk=medium", 1),
        ("risk=high", 0),
        ("mine=true", 0),
        ("expiring=60", 0),
        ("expiring=400", 1),
    ],
)
def test_the_inbox_is_narrowed(program: Caller, run: Run, query: str, count: int):
    asking.approval(run)

    assert len(ids(program.get(f"{APPROVALS}?{query}"))) == count


def test_the_inbox_takes_one_query_for_any_number(
    program: Caller, run: Run, django_assert_num_queries: Any
):
    asking.approval(run)
    program.get(APPROVALS)
    auth._known.clear()
    with django_assert_num_queries(2):
        program.get(APPROVALS)

    for _ in range(3):
        asking.approval(run)

    auth._known.clear()
    with django_assert_num_queries(2):
        assert len(ids(program.get(APPROVALS))) == 4


def test_a_decision_is_made(program: Caller, run: Run):
    approval = asking.approval(run)

    body = {
        "approved": True,
        "reason": "within limits",
        "edited_arguments": {"symbol": "ETH", "quantity": 3},
        "remember": {"scope": "session"},
    }
    answer = program.post(at(approval, "decide"), body, if_match='"1"')

    document = answer.json()
    assert answer.status_code == 200
    assert (document["state"], document["decided_by"]) == ("approved", "credential:default")
    assert document["edited_arguments"] == {"symbol": "ETH", "quantity": 3}
    assert document["tool_call"]["arguments"] == {"symbol": "ETH", "quantity": 3}
    assert [one["id"] for one in program.get("/api/v1/grants").json()["data"]] == [
        document["grant"]
    ]


def test_whoever_is_named_in_the_body_decides_nothing(program: Caller, run: Run):
    approval = asking.approval(run)

    answer = program.post(at(approval, "decide"), {"approved": True, "decided_by": "ana"})

    assert code(answer) == (400, "VALIDATION_ERROR")
    approval.refresh_from_db()
    assert approval.state == "pending"


@pytest.mark.parametrize(
    "body",
    [
        {"approved": True, "edited_arguments": {"quantity": 1e300}},
        {
            "approved": True,
            "remember": {"scope": "run", "conditions": [{"path": "a", "value": 1e300}]},
        },
        {"approved": True, "remember": {"scope": "run", "until": "9999-12-31T23:59:59-14:00"}},
        {"approved": "yes"},
    ],
)
def test_what_cannot_be_kept_is_refused(program: Caller, run: Run, body: dict[str, Any]):
    approval = asking.approval(run)

    assert code(program.post(at(approval, "decide"), body)) == (400, "VALIDATION_ERROR")


def test_seed_004_decides_at_the_session(program: Caller, session: Session, run: Run):
    approval = asking.approval(run)
    address = f"/api/v1/sessions/{session.pk}/approvals"

    listed = program.get(address)
    read = program.get(f"{address}/{approval.pk}")
    answer = program.post(f"{address}/{approval.pk}", {"approved": False, "feedback": "too much"})

    assert ids(listed) == [read.json()["id"]] == [str(approval.pk)]
    assert answer.json()["status"] == "rejected"
    assert answer.json()["feedback"] == "too much"
    assert code(program.post(f"{address}/{approval.pk}", {"approved": True})) == (
        409,
        "APPROVAL_ALREADY_DECIDED",
    )


def test_an_approval_of_another_session_is_none_of_this(program: Caller, run: Run):
    approval = asking.approval(run)
    other = factories.session()

    address = f"/api/v1/sessions/{other.pk}/approvals/{approval.pk}"

    assert code(program.get(address)) == (404, "APPROVAL_NOT_FOUND")
    assert code(program.post(address, {"approved": True})) == (404, "APPROVAL_NOT_FOUND")


def test_a_stale_version_is_refused(program: Caller, run: Run):
    approval = asking.approval(run)
    program.post(at(approval, "claim"))

    answer = program.post(at(approval, "decide"), {"approved": True}, if_match='"1"')

    assert code(answer) == (412, "PRECONDITION_FAILED")


def test_a_claim_is_seen_and_given_back(program: Caller, run: Run):
    approval = asking.approval(run)

    claimed = program.post(at(approval, "claim")).json()
    mine = ids(program.get(f"{APPROVALS}?mine=true"))
    released = program.post(at(approval, "claim"), {"release": True}).json()

    assert claimed["claimed_by"] == "credential:default"
    assert mine == [str(approval.pk)]
    assert (released["claimed_by"], released["claimed_at"]) == ("", None)


def test_each_of_a_batch_comes_to_its_own_end(program: Caller, run: Run):
    fine, no = asking.approval(run), asking.approval(run)
    high = asking.approval(run, call=asking.asked(run, risk=Risk.HIGH))
    gone = "00000000-0000-4000-8000-000000000000"
    orders = [
        {"approval": str(fine.pk), "approved": True},
        {"approval": str(high.pk), "approved": True},
        {"approval": str(no.pk), "approved": False, "reason": "no"},
        {"approval": gone, "approved": True},
    ]

    answer = program.post(f"{APPROVALS}/batch", {"decisions": orders})

    found = answer.json()["data"]
    assert [one["ok"] for one in found] == [True, False, True, False]
    assert [one["document"]["state"] for one in found if one["ok"]] == ["approved", "rejected"]
    assert [one["error"]["code"] for one in found if not one["ok"]] == [
        "VALIDATION_ERROR",
        "APPROVAL_NOT_FOUND",
    ]
    high.refresh_from_db()
    assert high.state == "pending"


def test_nothing_is_decided_on_twice_in_a_batch(program: Caller, run: Run):
    order = {"approval": str(asking.approval(run).pk), "approved": True}

    answer = program.post(f"{APPROVALS}/batch", {"decisions": [order, order]})

    assert code(answer) == (400, "VALIDATION_ERROR")


def test_a_decision_is_answered_again_under_its_key(program: Caller, run: Run):
    approval = asking.approval(run)

    first = program.post(at(approval, "decide"), {"approved": True}, idempotency_key="k")
    again = program.post(at(approval, "decide"), {"approved": True}, idempotency_key="k")

    assert (first.status_code, again.json()) == (200, first.json())


def test_a_late_decision_under_a_key_expires_it_all_the_same(program: Caller, run: Run):
    approval = asking.approval(run)
    Approval.objects.update(expires_at=approval.requested_at)

    answer = program.post(at(approval, "decide"), {"approved": True}, idempotency_key="k")

    approval.refresh_from_db()
    assert code(answer) == (410, "APPROVAL_TIMEOUT")
    assert approval.state == "expired"


def test_what_one_may_not_see_does_not_exist(run: Run):
    approval = asking.approval(run)
    stranger = caller(team="others")
    viewer = caller(["approvals:read"])

    assert code(stranger.get(at(approval))) == (404, "APPROVAL_NOT_FOUND")
    assert code(stranger.post(at(approval, "decide"), {"approved": True})) == (
        404,
        "APPROVAL_NOT_FOUND",
    )
    assert ids(stranger.get(APPROVALS)) == []
    assert ids(viewer.get(APPROVALS)) == [str(approval.pk)]
    assert code(viewer.post(at(approval, "decide"), {"approved": True})) == (
        403,
        "PERMISSION_DENIED",
    )
    assert code(caller(["sessions:read"]).get(APPROVALS)) == (403, "PERMISSION_DENIED")


def test_a_second_person_decides_signed_in(session: Session):
    ana = User.objects.create_user("ana", is_superuser=True)
    ben = User.objects.create_user("ben", is_superuser=True)
    by_ana = factories.member(session.team, label="ana")
    approval = asking.approval(asking.run(session, by=by_ana), who=Who(four_eyes=True))
    body = {"approved": True}

    answers = []
    for user in (ana, ben):
        browser = Client()
        browser.force_login(user)
        answers.append(browser.post(at(approval, "decide"), body, content_type="application/json"))

    assert [answer.status_code for answer in answers] == [403, 200]
    assert answers[1].json()["decided_by"] == "user:ben"


def test_what_a_batch_would_do_is_said_first(program: Caller, run: Run):
    other = asking.run(run.session)
    alone, kept, high = (
        asking.approval(other),
        asking.approval(run),
        asking.approval(run, call=asking.asked(run, risk=Risk.HIGH)),
    )
    orders = [{"approval": str(one.pk), "approved": True} for one in (alone, kept, high)]

    answer = program.post(f"{APPROVALS}/batch", {"decisions": orders, "dry_run": True}).json()

    assert answer["plan"] == {
        "common": ["tool", "agent", "session"],
        "count": 2,
        "resumed": [str(other.pk)],
        "held": [str(run.pk)],
    }
    assert [one["ok"] for one in answer["data"]] == [True, True, False]
    assert answer["data"][0]["document"]["state"] == "pending"
    assert set(Approval.objects.values_list("state", flat=True)) == {"pending"}


def test_two_of_three_keep_the_run_waiting(program: Caller, run: Run):
    made = [asking.approval(run) for _ in range(3)]
    waiting = asking.waiting(run)
    orders = [{"approval": str(one.pk), "approved": True} for one in made]

    program.post(f"{APPROVALS}/batch", {"decisions": orders[:2]})
    waiting.refresh_from_db()
    before = waiting.state
    program.post(f"{APPROVALS}/batch", {"decisions": orders[2:]})
    waiting.refresh_from_db()

    assert (before, waiting.state) == ("waiting", "queued")


def test_a_batch_of_what_has_nothing_in_common_is_refused(program: Caller, run: Run):
    other = asking.run(factories.session(key="b"), of=asking.agent("other"))
    unlike = asking.approval(other, call=asking.asked(other, asking.Asking(tool="mail.send")))
    orders = [
        {"approval": str(one.pk), "approved": False} for one in (asking.approval(run), unlike)
    ]

    answer = program.post(f"{APPROVALS}/batch", {"decisions": orders})

    assert code(answer) == (400, "VALIDATION_ERROR")
    assert set(Approval.objects.values_list("state", flat=True)) == {"pending"}
