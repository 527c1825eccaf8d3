"""Files that came in and that no message took in time."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from sessions.models import Attachment, Session
from sessions.services import attachments, conversation, lifecycle
from sessions.services.conversation import Utterance
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session() -> Session:
    return factories.session(key="k")


def upload(session: Session, *, hours: float, content: bytes = b"Hello") -> Attachment:
    """A file that came in so many hours ago."""
    made = attachments.upload(
        principal=OPERATOR, session=session, filename="a.txt", content=content
    )
    made.created_at = timezone.now() - timedelta(hours=hours)
    made.save()
    return made


def kept(session: Session) -> list[str]:
    folder = Path(settings.ENVIRONMENT.home) / "storage" / str(session.pk)
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_that_no_message_took_in_a_day_is_removed_and_told(session: Session):
    old, young = upload(session, hours=24.1), upload(session, hours=23.9)

    removed = [attachments.forget_unused(), attachments.forget_unused()]

    assert removed == [1, 0]
    assert list(Attachment.objects.all()) == [young]
    assert kept(session) == [str(young.pk)]
    assert factories.told(session)[-1] == (
        "attachment.deleted",
        {"attachment": str(old.pk), "filename": "a.txt"},
    )
    assert factories.ledger(session)[-1].actor == "system:files"


def test_a_file_of_a_message_stays(session: Session):
    file = upload(session, hours=100)
    draft = Utterance(content="See", attachments=[file.pk], answers=False)
    conversation.say(principal=OPERATOR, session=session, draft=draft)

    assert attachments.forget_unused() == 0
    assert kept(session) == [str(file.pk)]


def test_a_file_that_was_taken_meanwhile_stays(session: Session):
    file = upload(session, hours=100)
    draft = Utterance(content="See", attachments=[file.pk], answers=False)
    conversation.say(principal=OPERATOR, session=session, draft=draft)

    assert attachments.forget(file.pk, session.pk) is False
    assert Attachment.objects.filter(pk=file.pk).exists()


def test_the_ledger_of_a_closed_session_is_not_written(session: Session):
    upload(session, hours=100)
    lifecycle.end(principal=OPERATOR, session=session)
    told = factories.events(session)

    assert attachments.forget_unused() == 1
    assert kept(session) == []
    assert factories.events(session) == told


def test_the_time_is_a_setting(session: Session, settings: Any):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"unused_upload_hours": 1})
    upload(session, hours=1.1)

    assert attachments.forget_unused() == 1
