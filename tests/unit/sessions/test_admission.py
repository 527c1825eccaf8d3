import pytest

from aegis_project.kit.errors import InvalidState
from sessions.core.admission import ENTER, Decision, decide
from sessions.core.conversation import Admission


@pytest.mark.parametrize("admission", Admission)
def test_where_nobody_works_everybody_enters(admission):
    assert decide(admission, is_busy=False) == ENTER


@pytest.mark.parametrize(
    ("admission", "decision"),
    [
        (Admission.ENQUEUE, ENTER),
        (Admission.INTERRUPT, Decision(ends=True)),
        (Admission.ROLLBACK, Decision(ends=True, undoes=True)),
    ],
)
def test_who_comes_to_a_busy_agent_does_what_the_admission_says(admission, decision):
    assert decide(admission, is_busy=True) == decision


def test_reject_refuses_while_the_agent_is_busy():
    with pytest.raises(InvalidState):
        decide(Admission.REJECT, is_busy=True)
