import pytest

from sessions.core.policy import Verdict
from sessions.core.rehearsal import Compared, Kind, Now, Then, kind, now, then


@pytest.mark.parametrize(
    ("state", "decision", "found"),
    [
        ("completed", None, Then.LET_BY),
        ("failed", None, Then.LET_BY),
        ("rejected", None, Then.DENIED),
        ("completed", "approved", Then.APPROVED),
        ("rejected", "rejected", Then.REFUSED),
        ("expired", "expired", Then.REFUSED),
        ("pending", "pending", Then.UNDECIDED),
        ("cancelled", "cancelled", Then.UNDECIDED),
    ],
)
def test_what_became_of_a_call(state: str, decision: str | None, found: Then):
    assert then(state, decision=decision) is found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (Then.LET_BY, Now.LETS_BY, Kind.SAME),
        (Then.LET_BY, Now.ASKS, Kind.MORE),
        (Then.LET_BY, Now.DENIES, Kind.MORE),
        (Then.APPROVED, Now.LETS_BY, Kind.FEWER),
        (Then.APPROVED, Now.ASKS, Kind.SAME),
        (Then.APPROVED, Now.DENIES, Kind.NEEDLESS),
        (Then.UNDECIDED, Now.LETS_BY, Kind.FEWER),
        (Then.UNDECIDED, Now.DENIES, Kind.SAME),
        (Then.REFUSED, Now.LETS_BY, Kind.MISSED),
        (Then.REFUSED, Now.ASKS, Kind.SAME),
        (Then.DENIED, Now.LETS_BY, Kind.MISSED),
        (Then.DENIED, Now.ASKS, Kind.SAME),
    ],
)
def test_how_the_two_differ(before: Then, after: Now, found: Kind):
    assert kind(before, after) is found


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("auto", Now.LETS_BY),
        ("notify", Now.LETS_BY),
        ("approve", Now.ASKS),
        ("deny", Now.DENIES),
    ],
)
def test_what_a_verdict_does(word: str, found: Now):
    verdict = Verdict(kind=word, rule="draft/1")  # type: ignore[arg-type]  # from the table

    assert now(verdict) is found
    compared = Compared(Then.LET_BY, verdict)
    assert (compared.after, compared.kind) == (found, kind(Then.LET_BY, found))
