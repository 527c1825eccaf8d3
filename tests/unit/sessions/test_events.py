from sessions.core.events import DESCRIPTIONS, SessionEvent


def test_every_event_of_sessions_is_described():
    assert set(DESCRIPTIONS) == set(SessionEvent)
