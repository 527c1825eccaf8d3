import asyncio
import base64

import pytest

from aegis_project.kit.errors import RateLimited, ValidationFailed
from sessions.agent import scripts, showing
from sessions.agent.protocol import (
    Completion,
    Limits,
    Media,
    MediaPart,
    Prompt,
    Said,
    TextDelta,
    ToolOffer,
    ToolRequest,
    Turn,
)
from sessions.agent.scripted import Scripted
from sessions.core.conversation import Role
from sessions.core.errors import LLMError

LIMITS = Limits()
showing.install()


def asked(text: str, **settings) -> Prompt:
    return Prompt(instructions="", turns=[Turn(Role.USER, text)], settings=settings)


def streamed(prompt: Prompt, *, model: str = "assistant", limits: Limits = LIMITS) -> list[Said]:
    async def collect() -> list[Said]:
        service = Scripted(model, scripts.find(model))
        return [piece async for piece in service.stream(prompt, limits=limits)]

    return asyncio.run(collect())


def completed(prompt: Prompt, *, model: str = "assistant", limits: Limits = LIMITS) -> Completion:
    return asyncio.run(Scripted(model, scripts.find(model)).complete(prompt, limits=limits))


def talk(*said: str) -> list[str]:
    """What the assistant answers to each, in one conversation."""
    turns: list[Turn] = []
    for text in said:
        turns.append(Turn(Role.USER, text))
        turns.append(Turn(Role.ASSISTANT, completed(Prompt(instructions="", turns=turns)).text))
    return [turn.content for turn in turns if turn.role == Role.ASSISTANT]


def test_the_second_message_knows_the_first_of_its_own_conversation_only():
    assert talk("My name is Alice", "What is my name?")[1] == "Your name is Alice."
    assert talk("My name is Bob.", "What is my name?")[1] == "Your name is Bob."
    assert talk("What is my name?") == ["You have not told me your name yet."]


def test_examples_are_of_what_was_asked_before():
    first, second = talk("What are AI agents?", "Give me 3 examples")

    assert first.startswith("AI agents are programs")
    assert second.splitlines()[0] == "Here are 3 examples of AI agents:"
    assert len(second.splitlines()) == 4
    assert talk("Give me 3 examples") == ["Examples of what? Tell me what you think of."]


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        ("Write a short poem about AI", "A thought that wakes in lines of light,"),
        ("Explain quantum computing", "Quantum computing is computing with qubits"),
        ("How does quantum computing work?", "Quantum computing is computing with qubits"),
        ("Hello!", "Hello! What would you like"),
        ("Say hello in one sentence.", "Hello! What would you like"),
        ("What's 15 + 27?", "15 + 27 = 42"),
        ("what is 6 * 7", "6 * 7 = 42"),
        ("thanks", "You are welcome."),
        ("Explain knots", "You ask about knots. No model is configured"),
        ("Give me an example of streaming", "Here is 1 example of streaming:"),
        ("Give me two examples of knots", "I know no examples of knots"),
        ("My cat is Tom", "I will remember that your cat is Tom."),
        ("What is my cat?", "You have not told me your cat yet."),
        ("What did I say?", "This is the first thing you say."),
        ("Why?", "You said: “Why?”."),
        ("x" * 300, f"You said: “{'x' * 199}…”."),
        ("", "I am here."),
    ],
)
def test_the_assistant_has_an_answer(said, begins):
    assert talk(said)[0].startswith(begins)


def test_what_was_told_is_remembered():
    told = talk(
        "Hi, I'm Ann and my favourite colour is blue, but not my car",
        "What is my favourite colour?",
        "Hello",
        "Thank you",
        "Explain Aegis",
        "tell me more about Aegis",
        "more",
        "and now?",
        "What did I just ask?",
    )

    assert told == [
        "Nice to meet you, Ann! I will remember your name in this session.",
        "Your favourite colour is blue.",
        "Hello, Ann! What would you like to do?",
        "You are welcome, Ann.",
        told[4],
        told[5],
        told[5],
        "You said: “and now?”. We were talking about Aegis. I am the scripted assistant; no model"
        " is configured.",
        "You said: “and now?”",
    ]
    assert told[4].startswith("Aegis is a control plane")
    assert told[5].startswith("In Aegis everything")


def test_an_answer_comes_token_by_token_and_the_same_each_time():
    prompt = asked("What is my name?")

    first, second = streamed(prompt), streamed(prompt)

    assert first == second
    assert first[:2] == [TextDelta("You "), TextDelta("have ")]
    last = first[-1]
    assert isinstance(last, Completion)
    assert last.text == "".join(one.text for one in first[:-1] if isinstance(one, TextDelta))
    assert (last.finish_reason, last.spent.model) == ("stop", "scripted:assistant")
    assert (last.spent.input_tokens, last.spent.output_tokens) == (4, 8)


def test_a_user_asks_for_tools_and_is_told_what_they_said():
    tool = ToolOffer(name="memory_set", description="", parameters={})
    text = 'use memory_set {"key": "a"}\nuse other {}\nuse memory_set {broken}'
    turns = [Turn(Role.USER, text)]

    asks = completed(Prompt(instructions="", turns=turns, tools=[tool]))
    turns += [
        Turn(Role.ASSISTANT, asks.text, requests=asks.requests),
        Turn(Role.TOOL, "stored", answers="call-1"),
        Turn(Role.TOOL, "no", answers="call-2", is_error=True),
    ]
    tells = completed(Prompt(instructions="", turns=turns, tools=[tool]))

    assert asks.finish_reason == "tool_calls"
    assert asks.requests == (
        ToolRequest("call-1", "memory_set", {"key": "a"}),
        ToolRequest("call-2", "memory_set", {"text": "{broken}"}),
    )
    assert tells.text == "memory_set says: stored\nmemory_set failed: no"


def test_files_are_seen():
    turn = Turn(Role.USER, "Hello", media=(Media("image/png", b"x", "a.png"), Media("a/b", b"")))

    answer = completed(Prompt(instructions="", turns=[turn])).text

    assert answer.startswith("I was given a.png, a/b. Hello!")


def test_steps_of_a_request_are_said_one_per_answer():
    steps = [
        {
            "text": "Attempt {attempt}.",
            "tools": [{"tool": "a"}, {"tool": "b", "arguments": {"n": 1}, "id": "mine"}],
            "input_tokens": 7,
            "output_tokens": 9,
            "cost": "0.25",
        },
        {"text": "cut", "finish_reason": "content_filter"},
    ]
    turns = [Turn(Role.ASSISTANT, "before"), Turn(Role.USER, "go")]

    def answer() -> Completion:
        settings = {"script": steps, "attempt": 2}
        found = completed(Prompt(instructions="", turns=turns, settings=settings))
        turns.append(Turn(Role.ASSISTANT, found.text, requests=found.requests))
        return found

    first, second, after = answer(), answer(), answer()

    assert first.text == "Attempt 2."
    assert first.requests == (
        ToolRequest("call-1-1", "a", {}),
        ToolRequest("mine", "b", {"n": 1}),
    )
    assert (first.spent.input_tokens, first.spent.output_tokens) == (7, 9)
    assert str(first.spent.cost) == "0.25"
    assert (second.text, second.finish_reason) == ("cut", "content_filter")
    assert after.text == "Done."


def test_pieces_are_counted_and_cut_at_the_limit():
    prompt = asked("go", script=[{"text": "tick ", "chunks": 2000}])

    whole = completed(prompt)
    cut = completed(prompt, limits=Limits(max_output_tokens=2))

    assert whole.text.split()[-1] == "2000"
    assert (whole.finish_reason, whole.spent.output_tokens) == ("stop", 2000)
    assert (cut.text, cut.finish_reason) == ("tick 1 tick 2 ", "length")


def test_a_step_fails_in_the_middle_or_at_its_end():
    middle = {"text": "a b c", "error": {"code": "RATE_LIMITED", "after": 1, "message": "Wait."}}
    end = {"text": "a", "error": {"after": 5}}

    async def said(step: object) -> tuple[list[Said], Exception]:
        pieces: list[Said] = []
        service = Scripted("echo", scripts.find("echo"))
        try:
            async for piece in service.stream(asked("go", script=[step]), limits=Limits()):
                pieces.append(piece)  # noqa: PERF401 -- those before the failure count
        except (LLMError, RateLimited) as error:
            return pieces, error
        raise AssertionError("It did not fail.")

    first, waiting = asyncio.run(said(middle))
    second, failed = asyncio.run(said(end))

    assert (first, str(waiting), type(waiting)) == ([TextDelta("a ")], "Wait.", RateLimited)
    assert (second, type(failed)) == ([TextDelta("a")], LLMError)


def test_media_are_parts_of_the_answer():
    file = {"media_type": "audio/wav", "data": base64.b64encode(b"RIFF").decode(), "name": "a.wav"}

    pieces = streamed(asked("go", script=[{"media": [file]}]))

    media = Media("audio/wav", b"RIFF", "a.wav")
    assert pieces[0] == MediaPart(media)
    assert isinstance(pieces[1], Completion)
    assert pieces[1].media == (media,)


def test_scripts_are_known_by_name():
    assert completed(asked("one two"), model="echo").text == "one two"
    assert completed(asked("3 please"), model="counting").text == "1 2 3 "
    assert completed(asked("please"), model="counting").spent.output_tokens == 10
    assert completed(asked("now"), model="picture").media[0].data.startswith(b"\x89PNG")
    assert completed(asked("hear", script="echo"), model="counting").text == "hear"
    assert {"assistant", "counting", "echo", "failing", "picture"} <= set(scripts.names())
    with pytest.raises(LLMError):
        completed(asked("now"), model="failing")


@pytest.mark.parametrize(
    "script",
    [
        "nobody",
        7,
        [{"text": 7}],
        [{"unknown": 1}],
        [{"chunks": 10**9}],
        [{"media": [{"media_type": "a/b", "data": "%"}]}],
    ],
)
def test_what_is_no_script_is_refused(script):
    with pytest.raises(ValidationFailed):
        completed(asked("go", script=script))


def test_a_pause_is_kept_between_pieces():
    reply = scripts.step_of(asked("go", pause_seconds=0.5), otherwise=showing.echo)
    longest = scripts.step_of(asked("go", pause_seconds=1e9), otherwise=showing.echo)
    own = scripts.step_of(
        asked("go", pause_seconds=0.5, script=[{"pause_seconds": 2}]), otherwise=showing.echo
    )

    assert [one.pause_seconds for one in (reply, longest, own)] == [0.5, 60.0, 2.0]
    assert completed(asked("go", pause_seconds=0.001), model="echo").text == "go"
