from components.core.events import DESCRIPTIONS, ComponentEvent


def test_every_event_is_described():
    assert set(DESCRIPTIONS) == set(ComponentEvent)
