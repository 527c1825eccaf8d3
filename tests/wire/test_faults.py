"""How a provider that behaves badly is answered."""

import asyncio
import logging
import socket
import sys
from dataclasses import replace

import pytest

from aegis_project.kit.errors import RateLimited
from sessions.agent.adapter import Adapter
from sessions.agent.asking import Asking
from sessions.agent.protocol import Completion, Limits, Said, TextDelta, ToolOffer
from sessions.core.errors import LLMError, LLMTimeout, TokenLimit
from sessions.selectors.providers import Access
from tests.wire.asking import KEY, asked, azure, heard, own
from tests.wire.provider import (
    breaks_off,
    call,
    chunk,
    fails,
    hangs,
    provider,
    raw,
    says,
    text,
    words,
)

HASTY = Limits(first_token_seconds=0.2, idle_seconds=0.2, attempts=2)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
ERROR = {"error": {"message": "It is broken.", "type": "server_error"}}


def texts(pieces: list[Said]) -> list[str]:
    """What was passed on, and the whole of it in the completion."""
    assert isinstance(pieces[-1], Completion)
    return [one.text for one in pieces if isinstance(one, TextDelta | Completion)]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(fails("500 Internal Server Error", ERROR), id="500"),
        pytest.param(fails("503 Service Unavailable", "away"), id="503"),
        pytest.param(fails("429 Too Many Requests", ERROR, retry_after="0"), id="429"),
        pytest.param(fails("200 OK", "<html>Sign in</html>"), id="a page"),
        pytest.param(raw(), id="hangs up"),
        pytest.param(raw(b"nonsense\r\n\r\n"), id="no HTTP"),
        pytest.param(raw(OK), id="nothing said"),
        pytest.param(raw(OK, b"data: {}\n\n"), id="an empty piece"),
        pytest.param(raw(OK, b"data: {broken\n\n"), id="no JSON"),
        pytest.param(raw(OK, b"\xff\xfe\x00"), id="no text"),
        pytest.param(breaks_off(tail="data: {"), id="hangs up in a chunk"),
        pytest.param(says(ERROR), id="an error in the stream"),
        pytest.param(
            says(call(0, id="c", name="add", arguments="{broken"), reason="tool_calls"),
            id="no arguments",
        ),
    ],
)
async def test_a_fault_before_the_first_piece_is_tried_again(bad):
    async with provider(bad, bad, words("fine")) as at:
        pieces, error = await heard(own(at.url), replace(asked(), tools=[ADD]))

    assert error is None
    assert texts(pieces) == ["fine", "fine"]
    assert len(at.asked) == 3


ADD = ToolOffer(name="add", description="", parameters={"type": "object"})


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param(breaks_off(text("a")), "The connection to the provider", id="in a chunk"),
        pytest.param(says(text("a"), ERROR), "The provider failed: It is broken.", id="an error"),
        pytest.param(says(text("a"), "{broken"), "The provider's answer cannot", id="no JSON"),
        pytest.param(
            raw(OK, b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'),
            "The answer broke off.",
            id="in silence",
        ),
    ],
)
async def test_what_was_said_is_not_said_again(bad, message):
    async with provider(bad, words("never")) as at:
        pieces, error = await heard(own(at.url))

    assert pieces == [TextDelta("a")]
    assert isinstance(error, LLMError)
    assert error.message.startswith(message)
    assert len(at.asked) == 1


async def test_a_provider_that_fails_three_times_has_failed():
    async with provider(fails("500 Internal Server Error", ERROR)) as at:
        pieces, error = await heard(own(at.url))

    assert pieces == []
    assert isinstance(error, LLMError)
    assert error.as_dict() == {
        "code": "LLM_ERROR",
        "message": "The provider failed: It is broken.",
        "details": {"model": "own:gpt-4o-mini", "status": 500},
    }
    assert len(at.asked) == 3


@pytest.mark.parametrize(
    ("refusal", "kind", "message"),
    [
        (
            fails("401 Unauthorized", {"error": {"message": f"Bad key {KEY}."}}),
            LLMError,
            "The provider refused the key.",
        ),
        (
            fails("404 Not Found", {"error": {"code": "model_not_found", "message": "None."}}),
            LLMError,
            "The provider knows no such model.",
        ),
        (
            fails(
                "400 Bad Request",
                {"error": {"code": "context_length_exceeded", "message": "Too long."}},
            ),
            TokenLimit,
            "The conversation is longer than the model takes.",
        ),
        (
            fails("400 Bad Request", {"error": {"message": f"Odd:  {KEY} {'x' * 900}"}}),
            LLMError,
            f"The provider refused the request: Odd: ••• {'x' * 291}",
        ),
        (fails("422 Odd", "?"), LLMError, "The provider refused the request."),
        (
            fails("429 Too Many", {"error": {"code": "insufficient_quota", "message": "Pay."}}),
            LLMError,
            "The provider's account is used up.",
        ),
        (
            fails("429 Too Many", {"error": {"message": "Slow."}}, retry_after="120"),
            RateLimited,
            "The provider asks to wait.",
        ),
    ],
)
async def test_a_refusal_is_not_asked_for_again(refusal, kind, message):
    async with provider(refusal, words("never")) as at:
        pieces, error = await heard(own(at.url))

    assert pieces == []
    assert isinstance(error, kind)
    assert error.message == message
    assert len(at.asked) == 1


async def test_how_long_to_wait_is_passed_on():
    slow = fails("429 Too Many Requests", {"error": {"message": "Slow."}}, retry_after="120")
    async with provider(slow) as at:
        _, error = await heard(own(at.url))

    assert error is not None
    assert error.details == {"model": "own:gpt-4o-mini", "status": 429, "retry_after": 120.0}


async def test_silence_before_the_first_piece_is_a_timeout_and_tried_again():
    async with provider(hangs(is_begun=False)) as at:
        pieces, error = await heard(own(at.url), limits=HASTY)

    assert pieces == []
    assert isinstance(error, LLMTimeout)
    assert len(at.asked) == 2


async def test_silence_after_the_headers_is_a_timeout():
    async with provider(hangs()) as at:
        _, error = await heard(own(at.url), limits=HASTY)

    assert isinstance(error, LLMTimeout)
    assert len(at.asked) == 2


async def test_silence_in_the_middle_ends_the_answer():
    async with provider(hangs(text("a"))) as at:
        pieces, error = await heard(own(at.url), limits=HASTY)

    assert pieces == [TextDelta("a")]
    assert isinstance(error, LLMTimeout)
    assert len(at.asked) == 1


async def test_slow_is_not_silent():
    limits = Limits(first_token_seconds=10, idle_seconds=10)
    fragments = [call(0, id="c", name="add", arguments="{"), *[call(0, arguments=" ")] * 5]
    dripping = says(text("a"), *fragments, call(0, arguments="}"), text("b"), pause=0.02)
    async with provider(dripping) as at:
        pieces, error = await heard(own(at.url), replace(asked(), tools=[ADD]), limits=limits)

    assert error is None
    assert texts(pieces) == ["a", "b", "ab"]


async def test_an_answer_without_end_is_ended():
    endless = says(*[text("a")] * 10_000, pause=0.02)
    async with provider(endless) as at:
        pieces, error = await heard(own(at.url), limits=Limits(total_seconds=0.5))

    assert pieces
    assert isinstance(error, LLMTimeout)


async def test_nobody_who_listens_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        pieces, error = await heard(own(f"http://127.0.0.1:{taken.getsockname()[1]}"))

    assert pieces == []
    assert isinstance(error, LLMError)
    assert error.message == "The connection to the provider failed or broke off."


async def test_a_connection_that_is_never_made_is_a_timeout():
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for one in (first, second):
            # They fill its queue: nobody answers the next.
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        limits = Limits(connect_seconds=0.2, attempts=1)
        _, error = await heard(own(f"http://127.0.0.1:{deaf.getsockname()[1]}"), limits=limits)

    assert isinstance(error, LLMTimeout)


async def test_who_stops_listening_closes_the_line():
    async with provider(hangs(text("a"))) as at:
        stream = own(at.url).stream(asked(), limits=Limits())
        assert await anext(stream) == TextDelta("a")

        await stream.aclose()

        # Its connection ends by itself, long before the provider is taken down.
        await asyncio.wait_for(asyncio.gather(*at.tasks), 10)


async def test_the_key_is_in_no_error_log_or_text(caplog):
    caplog.set_level(logging.DEBUG)
    echo = {"error": {"message": f"You sent {KEY}", "code": KEY, "type": KEY}}
    async with provider(fails("500 Oops", echo)) as at:
        for service in (own(at.url), azure(at.url)):
            _, error = await heard(service)
            assert error is not None
            assert KEY not in repr((error, error.as_dict(), error.__cause__))

    access = Access(provider="own", kind="openai", base_url=at.url, key=KEY)
    assert KEY not in repr((access, vars(Adapter(access, "m"))))
    assert KEY not in caplog.text


async def test_models_of_anthropic_say_what_to_install(monkeypatch):
    # As where it is not installed.
    monkeypatch.setitem(sys.modules, "anthropic", None)
    access = Access(provider="anthropic", kind="anthropic", key=KEY)
    _, error = await heard(Asking(Adapter(access, "claude")))

    assert error is not None
    assert error.message == ("Models of Anthropic need its library: install aegis[anthropic].")


async def test_a_piece_without_a_choice_is_a_sign_of_life():
    keepalive = chunk({}) | {"choices": []}
    async with provider(says(keepalive, text("fine"), keepalive)) as at:
        pieces, error = await heard(own(at.url))

    assert error is None
    assert texts(pieces) == ["fine", "fine"]
