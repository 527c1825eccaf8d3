from datetime import UTC, datetime, timedelta, timezone

from aegis_project.kit.moments import stamp


def test_a_moment_has_milliseconds_and_z():
    at = datetime(2025, 11, 21, 23, 45, 0, 123_900, tzinfo=UTC)

    assert stamp(at) == "2025-11-21T23:45:00.123Z"
    assert stamp(at.astimezone(timezone(timedelta(hours=2)))) == "2025-11-21T23:45:00.123Z"
