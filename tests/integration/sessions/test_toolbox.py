"""Which tools a run has, and what the built-in ones do."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from django.conf import settings
from prometheus_client import REGISTRY

from aegis_project.database import run_db
from aegis_project.kit.errors import (
    AddressRefused,
    InvalidState,
    ValidationFailed,
)
from sessions.agent.tools import Call, Tool, Toolbox
from sessions.core.errors import ArtifactNotFound, ToolNotFound
from sessions.models import Artifact, Message, Run
from sessions.services import artifacts, lifecycle
from sessions.toolbox import box as boxes
from sessions.toolbox import define, known, plugins, timing
from streaming import node as nodes
from streaming.core.errors import (
    SessionOver,
    TopicForbidden,
    TopicNotFound,
    TopicReadOnly,
    UnknownTopic,
)
from streaming.engines.memory import MemoryEngine
from streaming.engines.rows import RowEngine
from streaming.hub import Hub
from streaming.models import AuditEntry, Event
from streaming.node import Node
from tests import factories
from tests.factories import OPERATOR
from tests.integration.sessions import toolbox_help, working_help
from tests.integration.sessions.toolbox_help import toolbox, use
from tests.outside import Reply, outside

pytestmark = pytest.mark.django_db(transaction=True)


def made(tools: list[str] | None = None, **agent: Any) -> Run:
    """A run of an agent with these tools."""
    found = working_help.agent("worker", tools=["*"] if tools is None else tools, **agent)
    return working_help.admitted(working_help.session(), agent=found)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    """The hub of a node that does nothing else."""
    found = Hub(engines=[RowEngine(), MemoryEngine()])
    node = Node(hub=found, jobs=[])
    await node.start()
    nodes.install(node)
    yield found
    nodes.install(None)
    await node.stop()


async def published(hub: Hub, run: Run, topic: str, *data: Any, first_ts: int = 1000) -> None:
    records = [(first_ts + n, orjson.dumps(one)) for n, one in enumerate(data)]
    await hub.publish((str(run.session_id), topic), records)


def names(run: Run) -> list[str]:
    return [spec.name for spec in toolbox(run).specs()]


class TestWhichTools:
    def test_an_agent_has_the_tools_that_it_names(self):
        assert names(made([])) == []

    def test_patterns_name_several(self):
        run = made(["memory_*", "publish", "nothing"])

        assert names(run) == ["memory_get", "memory_set", "publish"]

    def test_a_session_narrows_and_bars(self):
        agent = working_help.agent("worker", tools=["*"])
        config = {"allowed_tools": ["memory_*", "publish"], "blocked_tools": ["memory_set"]}
        run = working_help.admitted(working_help.session(config=config), agent=agent)

        assert names(run) == ["memory_get", "publish"]

    def test_what_a_run_does_not_have_is_not_found(self):
        found: Toolbox = toolbox(made(["publish"]))

        assert isinstance(found.find("publish"), Tool)
        with pytest.raises(ToolNotFound):
            found.find("memory_get")

    def test_nobody_takes_the_place_of_what_is_built_in(self, monkeypatch: pytest.MonkeyPatch):
        @define.tool()
        async def session_status(minutes: int) -> int:
            """Says how long it took."""
            return minutes

        monkeypatch.setattr(plugins, "definitions", lambda: (session_status,))

        [offered] = toolbox(made(["session_status"])).specs()
        [shown] = [one for one in boxes.catalogue() if one.name == session_status.spec.name]
        [listed] = [
            one for one in known.known(OPERATOR).specs if one.name == session_status.spec.name
        ]

        assert {one.source for one in (offered, shown, listed)} == {"builtin"}

    def test_nothing_is_fetched_where_no_host_is_allowed(self):
        assert "http_get" not in names(made())
        assert "http_get" in names(
            working_help.admitted(
                working_help.session(),
                agent=working_help.agent("fetcher", tools=["*"], settings={"http_hosts": ["a.b"]}),
            )
        )

    def test_what_is_built_in_says_how_dangerous_it_is(self):
        risks = {spec.name: spec.risk.value for spec in boxes.catalogue()}

        assert risks == {
            "analyze_artifact": "safe",
            "ask_person": "safe",
            "delegate": "low",
            "delegated": "safe",
            "generate_artifact": "low",
            "http_get": "medium",
            "list_artifacts": "safe",
            "list_topics": "safe",
            "memory_get": "safe",
            "memory_set": "safe",
            "pause_session": "medium",
            "post_note": "low",
            "publish": "medium",
            "read_artifact": "safe",
            "read_topic": "safe",
            "search_history": "safe",
            "session_status": "safe",
            "stop_session": "high",
            "write_artifact": "low",
        }


class TestTopics:
    async def test_the_newest_records_are_read(self, hub: Hub):
        run = await run_db(made)
        await published(hub, run, "prices", *range(30))

        found = await use(run, "read_topic", topic="prices", newest=3)

        assert found == {
            "topic": "prices",
            "head": 30,
            "records": [{"seq": 28 + n, "ts": 1027 + n, "data": 27 + n} for n in range(3)],
            "has_more": False,
        }

    async def test_a_range_of_time_is_read(self, hub: Hub):
        run = await run_db(made)
        await published(hub, run, "prices", *range(30))

        part = await use(run, "read_topic", topic="prices", since=1010, until=1012)
        first = await use(run, "read_topic", topic="prices", since=1010, newest=2)

        assert [one["data"] for one in part["records"]] == [10, 11, 12]
        assert not part["has_more"]
        assert [one["data"] for one in first["records"]] == [10, 11]
        assert first["has_more"]
        with pytest.raises(ValidationFailed):
            await use(run, "read_topic", topic="prices", until=1012)

    async def test_a_topic_that_nobody_published_is_not_there(self, hub: Hub):
        run = await run_db(made)

        with pytest.raises(TopicNotFound):
            await use(run, "read_topic", topic="none")

    async def test_what_is_long_comes_in_parts(self, hub: Hub):
        run = await run_db(made)
        await published(hub, run, "texts", *["x" * 50_000] * 5)

        found = await use(run, "read_topic", topic="texts", newest=5)

        assert [one["seq"] for one in found["records"]] == [1, 2]
        assert found["has_more"]

    async def test_topics_are_listed(self, hub: Hub):
        run = await run_db(made)
        await published(hub, run, "prices", 1, 2)
        await published(hub, run, "news", 1)

        found = await use(run, "list_topics")

        assert found == [
            {"name": "news", "records": 1, "last_ts": 1000},
            {"name": "prices", "records": 2, "last_ts": 1001},
        ]

    async def test_a_record_is_published_once(self, hub: Hub):
        run = await run_db(made)

        first = await use(run, "publish", same="k", topic="orders", data={"n": 1})
        again = await use(run, "publish", same="k", topic="orders", data={"n": 1})
        other = await use(run, "publish", topic="orders", data={"n": 1})

        assert first == again != other
        read = await use(run, "read_topic", topic="orders")
        assert [one["data"] for one in read["records"]] == [{"n": 1}, {"n": 1}]

    async def test_an_agent_may_be_kept_to_some_topics(self, hub: Hub):
        run = await run_db(made, settings={"topics": ["orders.*"]})
        await published(hub, run, "prices", 1)
        await published(hub, run, "orders.new", 1)

        assert [one["name"] for one in await use(run, "list_topics")] == ["orders.new"]
        with pytest.raises(TopicNotFound):
            await use(run, "read_topic", topic="prices")
        with pytest.raises(UnknownTopic):
            await use(run, "publish", topic="prices", data=1)

    async def test_what_aegis_writes_is_not_published(self, hub: Hub):
        run = await run_db(made)

        for topic in ("ledger", f"runs.{run.pk}"):
            with pytest.raises((TopicReadOnly, TopicForbidden)):
                await use(run, "publish", topic=topic, data=1)

    async def test_nothing_is_published_into_a_session_that_is_over(self, hub: Hub):
        run = await run_db(made)
        await run_db(lifecycle.end, principal=OPERATOR, session=run.session_id)

        with pytest.raises(SessionOver):
            await use(run, "publish", topic="orders", data=1)


class TestConversation:
    async def test_a_note_is_left_once_and_nobody_answers_it(self):
        run = await run_db(made)

        first = await use(run, "post_note", same="k", text="Prices are odd.")
        again = await use(run, "post_note", same="k", text="Prices are odd.")

        message = await run_db(Message.objects.get)
        assert first == again == {"message": str(message.pk), "place": 1}
        assert (message.role, message.author) == ("system", "agent:worker")
        assert await run_db(Run.objects.count) == 1

    async def test_history_is_searched_in_its_own_session_only(self):
        run, other = await run_db(made), await run_db(made)
        await use(run, "post_note", text="x" * 500 + " The PRICE is odd. " + "y" * 500)
        await use(run, "post_note", text="Nothing.")
        await use(other, "post_note", text="Another price.")

        (found,) = await use(run, "search_history", text="price")

        assert (found["place"], found["role"], found["author"]) == (1, "system", "agent:worker")
        assert "The PRICE is odd." in found["text"]
        assert found["text"].startswith("…x")
        assert len(found["text"]) < 500


class TestFiles:
    async def test_a_file_is_written_once_and_read_again(self):
        run = await run_db(made)

        first = await use(run, "write_artifact", same="k", name="notes/a.md", text="# Größe")
        again = await use(run, "write_artifact", same="k", name="notes/a.md", text="# Größe")
        second = await use(run, "write_artifact", name="notes/a.md", text="# Two")

        assert first == again
        assert (first["version"], second["version"]) == (1, 2)
        assert (await use(run, "read_artifact", name="notes/a.md"))["text"] == "# Two"
        old = await use(run, "read_artifact", name="notes/a.md", version=1)
        assert (old["text"], old["next"]) == ("# Größe", None)
        listed = await use(run, "list_artifacts")
        assert [(one["name"], one["version"]) for one in listed] == [("notes/a.md", 2)]
        row = await run_db(Artifact.objects.get, version=1)
        assert (row.author, row.run_id) == ("agent:worker", run.pk)

    async def test_a_long_file_comes_in_pieces(self):
        run = await run_db(made)
        text = "é" * 200_000
        await use(run, "write_artifact", name="long", text=text)

        first = await use(run, "read_artifact", name="long")
        rest = await use(run, "read_artifact", name="long", offset=first["next"])

        assert first["text"] + rest["text"] == text
        assert rest["next"] is None

    async def test_a_file_is_looked_into(self):
        run = await run_db(made)
        await use(run, "write_artifact", name="a", text="[1, 2]")
        await use(run, "write_artifact", name="a", text="a;b\n1;2\n")

        found = await use(run, "analyze_artifact", name="a", analysis_type="transform")
        old = await use(run, "analyze_artifact", name="a", version=1)

        assert (found["format"], found["content"]) == ("csv", '[{"a": "1", "b": "2"}]')
        assert (old["format"], old["data"]["length"]) == ("json", 2)
        with pytest.raises(ArtifactNotFound):
            await use(run, "analyze_artifact", name="b")

    async def test_a_file_is_generated_once(self):
        run = await run_db(made)
        asked = {
            "name": "a",
            "type": "report",
            "format": "md",
            "sections": [{"heading": "Prices", "rows": [{"close": 1.5}]}],
        }

        first = await use(run, "generate_artifact", same="k", **asked)
        again = await use(run, "generate_artifact", same="k", **asked)

        assert first == again
        assert (first["name"], first["content_type"]) == ("a.md", "text/markdown")
        text = (await use(run, "read_artifact", name="a.md"))["text"]
        assert text == "## Prices\n\n| close |\n|---|\n| 1.5 |\n"
        with pytest.raises(ValidationFailed):
            await use(run, "generate_artifact", name="b", type="data", format="pdf")

    async def test_what_is_no_text_and_no_file_is_refused(self):
        run = await run_db(made)
        await run_db(
            artifacts.create,
            principal=OPERATOR,
            session=run.session_id,
            name="a.bin",
            content=b"\xff\x00",
        )

        with pytest.raises(ValidationFailed):
            await use(run, "read_artifact", name="a.bin")
        with pytest.raises(ArtifactNotFound):
            await use(run, "read_artifact", name="b.bin")
        with pytest.raises(ValidationFailed):
            await use(run, "write_artifact", name="../up", text="")


class TestMemory:
    async def test_what_is_remembered_is_there_later(self):
        run = await run_db(made)

        await use(run, "memory_set", key="name", value="Alice")
        await use(run, "memory_set", key="age", value=[1])
        await use(run, "memory_set", key="age", value=None)

        assert await use(run, "memory_get") == {"name": "Alice"}
        assert await use(run, "memory_get", key="name") == "Alice"
        assert await use(run, "memory_get", key="age") is None
        events = await run_db(factories.events, run.session)
        assert events.count("session.updated") == 3

    async def test_things_are_remembered_side_by_side(self):
        run = await run_db(made)

        await asyncio.gather(*(use(run, "memory_set", key=f"k{n}", value=n) for n in range(8)))

        assert await use(run, "memory_get") == {f"k{n}": n for n in range(8)}


class TestLever:
    async def test_the_standing_of_the_session_is_told(self):
        run = await run_db(made)

        found = await use(run, "session_status")

        assert (found["state"], found["environment"]) == ("running", "development")
        assert found["components"] == []

    async def test_the_session_is_paused_and_stopped_by_the_agent(self):
        run = await run_db(made)

        paused = await use(run, "pause_session", reason="The prices are odd.")
        stopped = await use(run, "stop_session", reason="They stay odd.")

        assert paused == {"state": "paused", "previous": "running"}
        assert stopped == {"state": "stopped", "previous": "paused"}
        entries = await run_db(lambda: list(AuditEntry.objects.filter(command="session.stop")))
        assert [entry.actor for entry in entries] == ["agent:worker"]
        last = await run_db(
            lambda: Event.objects.filter(type="session.suspended").order_by("-seq").first()
        )
        assert last is not None
        assert last.actor == "agent:worker"

    async def test_a_refusal_is_told_and_stands_in_the_audit(self):
        run = await run_db(made)
        await run_db(lifecycle.end, principal=OPERATOR, session=run.session_id)

        with pytest.raises(InvalidState):
            await use(run, "pause_session", same="k", reason="")

        refused = await run_db(lambda: list(AuditEntry.objects.filter(outcome="refused")))
        assert [entry.command for entry in refused] == ["session.pause"]


class TestWeb:
    @pytest.fixture
    def here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings.ENVIRONMENT, "outward_networks", "127.0.0.0/8")

    async def test_a_document_is_fetched_from_an_allowed_host(self, here: None):
        run = await run_db(made, settings={"http_hosts": ["127.0.0.1"]})
        with outside() as place:
            place.replies["/a"] = Reply(body=b'{"n": 1}', headers={"Content-Type": "text/json"})
            place.replies["/b"] = Reply(body=b"h\xffi", headers={"Content-Type": "text/plain"})

            found = await use(run, "http_get", url=place.url("/a"))
            text = await use(run, "http_get", url=place.url("/b"))
            with pytest.raises(AddressRefused):
                await use(run, "http_get", url=place.url("/a", "localhost"))

        assert (found["status"], found["body"]) == (200, {"n": 1})
        assert text["body"] == "h\ufffdi"

    async def test_nothing_private_is_fetched_without_permission(self):
        run = await run_db(made, settings={"http_hosts": ["*"]})
        with outside() as place, pytest.raises(AddressRefused):
            await use(run, "http_get", url=place.url("/"))

        assert place.visits == []


async def test_how_long_a_tool_takes_is_counted():
    run = await run_db(made)
    before = measured("memory_get")

    await use(run, "memory_get")

    assert measured("memory_get") == before + 1


def measured(tool: str) -> float:
    found = REGISTRY.get_sample_value("tool_execution_time_seconds_count", {"tool": tool})
    return found or 0.0


async def test_a_call_that_fails_is_counted_too():
    before = measured("python")

    @timing.track_tool_time("mine", "python")
    async def fails(_call: Call) -> None:
        raise ToolNotFound

    with pytest.raises(ToolNotFound):
        await fails(toolbox_help.call(await run_db(made)))

    assert measured("python") == before + 1
