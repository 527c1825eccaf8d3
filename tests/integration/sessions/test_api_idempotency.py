from datetime import timedelta
from functools import partial

import pytest
from django.urls import get_resolver
from django.utils import timezone

from aegis_project.kit.errors import ServiceUnavailable
from sessions.models import Session
from sessions.services import lifecycle
from streaming.api.paths import Address
from streaming.models import AuditEntry, IdempotencyKey
from streaming.services import idempotency
from streaming.services.idempotency import Answer
from tests import factories, threads
from tests.calling import Caller, caller, code

SESSIONS = "/api/v1/sessions"


@pytest.mark.django_db
def test_the_first_answer_is_given_again(program: Caller):
    order = {"key": "k", "token": True}

    first = program.post(SESSIONS, order, idempotency_key="a")
    second = program.post(SESSIONS, order, idempotency_key="a")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Location"] == first.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert AuditEntry.objects.filter(command="session.create").count() == 1


@pytest.mark.django_db
def test_another_key_is_another_request(program: Caller):
    first = program.post(SESSIONS, {}, idempotency_key="a").json()
    second = program.post(SESSIONS, {}, idempotency_key="b").json()

    assert first["id"] != second["id"]


@pytest.mark.django_db
def test_a_key_is_its_owners(program: Caller):
    first = program.post(SESSIONS, {}, idempotency_key="a").json()
    second = caller().post(SESSIONS, {}, idempotency_key="a").json()

    assert first["id"] != second["id"]


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["pause", "start"])
def test_a_key_with_another_request_is_refused(program: Caller, verb: str):
    factories.session(key="k")
    program.post(f"{SESSIONS}/k/start", idempotency_key="a")

    answer = program.post(f"{SESSIONS}/k/{verb}", {"reason": "other"}, idempotency_key="a")

    assert code(answer) == (422, "IDEMPOTENCY_MISMATCH")
    assert Session.objects.get().state == "running"


@pytest.mark.django_db
def test_a_refusal_is_given_again_too(program: Caller):
    factories.session(key="k")
    first = program.post(f"{SESSIONS}/k/pause", idempotency_key="a")
    lifecycle.start(principal=factories.OPERATOR, session=Session.objects.get())

    second = program.post(f"{SESSIONS}/k/pause", idempotency_key="a")

    assert code(first) == (400, "INVALID_STATE")
    assert second.content == first.content
    assert AuditEntry.objects.filter(command="session.pause", outcome="refused").count() == 1


@pytest.mark.django_db
def test_a_day_later_the_key_is_free_again(program: Caller):
    first = program.post(SESSIONS, {}, idempotency_key="a").json()
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))

    second = program.post(SESSIONS, {}, idempotency_key="a").json()

    assert first["id"] != second["id"]


@pytest.mark.django_db
def test_what_is_a_day_old_is_forgotten(program: Caller):
    program.post(SESSIONS, {}, idempotency_key="old")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    program.post(SESSIONS, {}, idempotency_key="new")

    forgotten = idempotency.forget()

    assert (forgotten, IdempotencyKey.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 256, "two\x7f"])
def test_a_key_that_cannot_be_is_refused(program: Caller, key: str):
    assert code(program.post(SESSIONS, {}, idempotency_key=key)) == (400, "VALIDATION_ERROR")


@pytest.mark.django_db
def test_what_is_kept_opens_nothing(program: Caller):
    secret = program.post(SESSIONS, {"token": True}, idempotency_key="a").json()["session_token"]

    row = IdempotencyKey.objects.get()

    assert secret not in row.body
    assert row.key != "a"


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_acts(program: Caller):
    secret = program.headers["Authorization"].removeprefix("Bearer ")
    callers = [Caller(secret) for _ in range(20)]

    answers = threads.together(
        [partial(one.post, SESSIONS, {"name": "once"}, idempotency_key="a") for one in callers]
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Session.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_twenty_starts_at_once_one_acts(program: Caller):
    factories.session(key="k")
    secret = program.headers["Authorization"].removeprefix("Bearer ")

    answers = threads.together(
        [
            partial(Caller(secret).post, f"{SESSIONS}/k/start", idempotency_key="a")
            for _ in range(20)
        ]
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert AuditEntry.objects.filter(command="session.start").count() == 1


# What fails on our side may be tried again

ASKING = factories.OPERATOR.via("test", idempotency_key="a")
DONE = Answer(200, {"done": True}, {})


@pytest.mark.django_db
@pytest.mark.parametrize("way", [idempotency.once, idempotency.alone])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_is_not_kept(way, status: int):
    failed, _ = way(principal=ASKING, digest="d", act=lambda: Answer(status, {}, {}))

    answer, is_replay = way(principal=ASKING, digest="d", act=lambda: DONE)

    assert (failed.status, answer, is_replay) == (status, DONE, False)


@pytest.mark.django_db
@pytest.mark.parametrize("way", [idempotency.once, idempotency.alone])
def test_a_crash_leaves_the_key_free(way):
    def crash() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        way(principal=ASKING, digest="d", act=crash)

    assert way(principal=ASKING, digest="d", act=lambda: DONE) == (DONE, False)
    assert way(principal=ASKING, digest="d", act=crash) == (DONE, True)


@pytest.mark.django_db
def test_a_key_of_a_process_that_died_is_free_after_two_minutes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(idempotency, "PATIENCE_SECONDS", 0.0)
    IdempotencyKey.objects.create(
        principal_id=ASKING.id, key=idempotency.name_of("a"), digest="d", status=0
    )

    with pytest.raises(ServiceUnavailable):
        idempotency.alone(principal=ASKING, digest="d", act=lambda: DONE)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(minutes=3))

    assert idempotency.alone(principal=ASKING, digest="d", act=lambda: DONE) == (DONE, False)


@pytest.mark.django_db
def test_after_a_change_of_the_servers_key_nothing_is_replayed(program: Caller, settings):
    program.post(SESSIONS, {}, idempotency_key="a")
    settings.SECRET_KEY = "another"

    answer = program.post(SESSIONS, {}, idempotency_key="a")

    assert code(answer) == (422, "IDEMPOTENCY_MISMATCH")


def test_every_post_keeps_its_answers():
    posts = {
        str(pattern.pattern): pattern.callback.view_class.post
        for pattern in every(get_resolver().url_patterns)
        if hasattr(pattern.callback.view_class, "post")
    }

    assert len(posts) >= 13
    assert [name for name, post in posts.items() if not hasattr(post, "keeps_answers")] == []


def every(patterns):
    """The addresses of our own interface."""
    for pattern in patterns:
        if isinstance(pattern.pattern, Address):
            yield pattern
        elif str(pattern.pattern) == "api/v1/":
            yield from every(pattern.url_patterns)
