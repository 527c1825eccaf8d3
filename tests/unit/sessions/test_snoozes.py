from datetime import UTC, datetime, timedelta

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import snoozes

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("until", [NOW + DAY, NOW + snoozes.LONGEST])
def test_a_reason_is_kept_on_one_line(until: datetime):
    assert snoozes.check(reason=" moved \n on Monday ", until=until, now=NOW) == "moved on Monday"


@pytest.mark.parametrize("reason", ["", " \n", "x" * 501, "a\x00b"])
def test_it_needs_a_reason_that_can_be_kept(reason: str):
    with pytest.raises(ValidationFailed, match="reason"):
        snoozes.check(reason=reason, until=NOW + DAY, now=NOW)


@pytest.mark.parametrize("until", [NOW - DAY, NOW, NOW + snoozes.LONGEST + DAY])
def test_it_ends_and_not_too_late(until: datetime):
    with pytest.raises(ValidationFailed, match="90 days"):
        snoozes.check(reason="later", until=until, now=NOW)
