"""What the scripted agents of the demo ask for, in each branch of its story."""

import json

import pytest

from sessions.agent import flash_dip, scripts
from sessions.agent.protocol import Prompt, Turn
from sessions.core.conversation import Role
from sessions.core.flash_dip import telling, words

ALERT = {
    "price": "87000.00",
    "position": "0.25000",
    "fall_percent": 3.0,
    "book_age_seconds": 12.0,
}
REJECTED = {"code": "APPROVAL_REJECTED", "message": "No."}
EXPIRED = {"code": "APPROVAL_TIMEOUT", "message": "Nobody decided in time."}


class Run:
    """One run of a scripted agent, answered as tools would."""

    def __init__(self, script, told):
        self.script = script
        said = f"{words.INCIDENTS}: {json.dumps(told)}"
        earlier = [Turn(Role.USER, "alerts: {}"), Turn(Role.ASSISTANT, "Something else.")]
        self.turns = [*earlier, Turn(Role.USER, said)]

    def step(self):
        reply = self.script(Prompt(instructions="", turns=self.turns, tools=[]))
        self.turns.append(Turn(Role.ASSISTANT, reply.text, requests=reply.requests))
        return reply

    def ask(self):
        """The next tools that are asked for, with what."""
        return [(one.tool, one.arguments) for one in self.step().requests]

    def answer(self, *results, is_error=False):
        asked = self.turns[-1].requests
        for one, result in zip(asked, results, strict=True):
            said = json.dumps(result)
            self.turns.append(Turn(Role.TOOL, said, answers=one.id, is_error=is_error))


def published(**data):
    said = {**data, "symbol": words.SYMBOL}
    return [("publish", {"topic": words.INCIDENTS, "data": said})]


@pytest.fixture
def resolution():
    return Run(flash_dip.resolution, {"phase": words.EXPLAINED})


def asking_for_flatten(run):
    arguments = {"symbol": "BTCUSDT", "max_slippage_bps": 40}
    assert run.ask() == [(words.FLATTEN, arguments)]


def test_scripts_are_models_by_their_names():
    flash_dip.install()

    assert set(flash_dip.SCRIPTS) <= set(scripts.names())


def test_detection_opens_an_incident_once():
    run = Run(flash_dip.detection, ALERT)

    assert run.ask() == [(words.OPEN_INCIDENT, {"alert": ALERT})]
    run.answer({"checkpoint": "1"})
    last = run.step()
    assert (last.requests, words.CHECKPOINT in last.text) == ((), True)


def test_triage_reads_explains_and_hands_over():
    run = Run(flash_dip.triage, {"phase": words.OPENED})

    assert [tool for tool, _ in run.ask()] == ["read_topic", "read_topic"]
    run.answer({"records": []}, {"records": []})
    assert run.ask() == published(phase=words.EXPLAINED)
    assert run.turns[-1].content == telling.explained([], [])
    run.answer({})
    assert run.step().requests == ()


def test_approved_position_is_closed_and_told(resolution):
    asking_for_flatten(resolution)
    order = {"quantity": "0.25000", "price": "1.00", "position": "0.00000"}
    resolution.answer({"order": order})

    assert resolution.ask() == published(phase=words.DECIDED, outcome=words.APPROVED)
    resolution.answer({})
    assert resolution.step().text == telling.OUTCOMES[words.APPROVED]


@pytest.mark.parametrize(("is_error", "outcome"), [(False, words.HALTED), (True, words.REJECTED)])
def test_rejected_position_leads_to_another_proposal(resolution, is_error, outcome):
    asking_for_flatten(resolution)
    resolution.answer(REJECTED, is_error=True)

    assert resolution.ask() == [(words.HALT, {"symbol": "BTCUSDT"})]
    resolution.answer(REJECTED if is_error else {}, is_error=is_error)
    assert resolution.ask() == published(phase=words.DECIDED, outcome=outcome)
    resolution.answer({})
    assert resolution.step().text == telling.OUTCOMES[outcome]


def test_nobody_deciding_leaves_a_note_and_an_open_incident(resolution):
    asking_for_flatten(resolution)
    resolution.answer(EXPIRED, is_error=True)

    assert resolution.ask() == [("post_note", {"text": telling.EXPIRED})]
    resolution.answer({})
    assert resolution.ask() == published(phase=words.UNRESOLVED, outcome=words.EXPIRED)
    resolution.answer({})
    assert resolution.step().text == telling.OUTCOMES[words.EXPIRED]


def test_audit_writes_the_report_of_what_it_read():
    run = Run(flash_dip.audit, {"phase": words.RESUMED, "outcome": words.APPROVED})
    standing = {"position": "0", "orders": 1, "close": "1", "is_halted": False}
    incident = {"standing": standing, "orders": [], "decisions": []}

    assert run.ask() == [(words.READ_INCIDENT, {})]
    run.answer(incident)
    text = telling.report(incident, words.APPROVED)
    assert run.ask() == [("write_artifact", {"name": words.REPORT, "text": text})]
    run.answer({})
    assert run.step().text == telling.WRITTEN


def test_audit_without_the_desk_writes_nothing():
    run = Run(flash_dip.audit, {"phase": words.RESUMED, "outcome": words.APPROVED})
    run.step()
    run.answer({"code": "TOOL_NOT_FOUND", "message": "There is none."}, is_error=True)

    last = run.step()
    assert (last.text, last.requests) == (telling.UNWRITTEN, ())


def test_agent_that_was_told_nothing_has_nothing_to_read():
    assert flash_dip.told(Prompt(instructions="", turns=[], tools=[])) == {}
