"""What a model makes beside its text: pieces of the stream, and files of the message."""

import base64

import pytest

from aegis_project.database import run_db
from sessions.agent.showing import _png
from sessions.core.run_log import Data
from sessions.core.turns import Media
from sessions.files import storage
from sessions.models import Message
from sessions.selectors import history
from sessions.services import attachments
from tests import factories
from tests.integration.sessions import working_help as help_
from tests.integration.sessions.test_execution import begin, ended, working

pytestmark = pytest.mark.django_db(transaction=True)

PNG = _png(2, 2)


def picture(name: str, media_type: str = "image/png", data: bytes = PNG) -> dict[str, str]:
    return {"media_type": media_type, "data": base64.b64encode(data).decode(), "name": name}


async def test_pictures_are_attachments_of_the_answer_and_stand_in_the_log():
    made = [picture("square.png"), picture(""), picture("../x.png"), picture("wrong.pdf")]
    async with working():
        run = await begin({"text": "Here.", "media": made})
        row = await ended(run)

    message = await run_db(Message.objects.get, pk=row.answer_id)
    files = await run_db(lambda: list(message.attachments.order_by("created_at", "pk")))
    log = await run_db(help_.log, run)
    names = sorted(one.filename for one in files)
    assert message.attachment_count == 4
    assert names == ["file-2.png", "file-3.png", "file-4.png", "square.png"]
    assert {one.content_type for one in files} == {"image/png"}
    assert {one.author for one in files} == {"agent:scribe"}
    assert storage.read(files[0].path) == PNG
    assert len([one for one in log if isinstance(one, Data)]) == 4


async def test_an_answer_of_nothing_but_a_picture_is_a_message():
    async with working():
        row = await ended(await begin({"media": [picture("square.png")]}))

    message = await run_db(Message.objects.get, pk=row.answer_id)
    turns = await run_db(lambda: history.turns(row.session_id, up_to=message))
    assert (message.content, message.attachment_count) == ("", 1)
    assert turns[-1].media[0].data == PNG


def test_what_a_session_has_no_room_for_stays_in_the_log_alone(monkeypatch):
    session = factories.session()
    monkeypatch.setattr(attachments, "MAX_SESSION_BYTES", len(PNG) + 1)
    media = Media(media_type="image/png", data=PNG)

    assert attachments.fitting(session, [media, media]) == [media]
