from datetime import UTC, datetime, timedelta

from components.core.standing import token_fault

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def test_a_token_is_at_fault_from_its_end_or_its_revocation():
    faults = {
        (revoked_at, expires_at): token_fault(revoked_at, expires_at, at=NOW)
        for revoked_at in (None, LATER)
        for expires_at in (None, NOW, LATER)
    }

    assert faults == {
        (None, None): "",
        (None, NOW): "expired",
        (None, LATER): "",
        (LATER, None): "revoked",
        (LATER, NOW): "revoked",
        (LATER, LATER): "revoked",
    }
