"""What happened is told in words."""

from components.core import events as component_events
from sessions.admin import words
from sessions.core import events as session_events


def test_every_event_of_the_catalogue_has_its_sentence():
    known = {
        *session_events.DESCRIPTIONS,
        *session_events.WORK,
        *component_events.DESCRIPTIONS,
    }

    assert known - set(words.SENTENCES) == set()


def test_a_token_is_told_by_its_name():
    told = words.sentence("credential.issued", {"credential_id": "1", "name": "sink"})

    assert told == (words.EVENT, "Token issued", "sink")
