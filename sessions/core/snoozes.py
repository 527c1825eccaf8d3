"""For how long a finding may be left alone, and what has to be said about it."""

from datetime import datetime, timedelta

from aegis_project.kit.errors import ValidationFailed

LONGEST = timedelta(days=90)
LONGEST_REASON = 500


def check(*, reason: str, until: datetime, now: datetime) -> str:
    """
    The reason as it is kept, if somebody may leave a finding alone for it so long.

    :raises ValidationFailed: without a reason, for one that is too long, and for a moment that is
        over or more than 90 days away
    """
    said = " ".join(reason.split())
    if not 0 < len(said) <= LONGEST_REASON or "\x00" in said:
        raise ValidationFailed(
            f"A reason has 1 to {LONGEST_REASON} characters.", field="reason", most=LONGEST_REASON
        )
    if not now < until <= now + LONGEST:
        raise ValidationFailed(f"It ends within {LONGEST.days} days from now.", field="until")
    return said
