"""Which hub, engines and jobs the node of a server process is made of."""

import asyncio

from django.conf import settings

from aegis_project import instruments
from components.jobs import Links, Liveness, ToolUses, Watcher
from sessions import driver
from sessions.jobs import Closing, Deadlines, Idle, Retention, Sandboxes, Sweep, ToolServers
from sessions.selectors import topic_rules
from sessions.worker import EQUIPMENT, Watching, Worker
from sessions.worker.webhooks import Webhooks
from streaming import node as nodes
from streaming.engines.base import Engine
from streaming.engines.recording import Recorder, RecordingEngine
from streaming.engines.replay_engine import ReplayEngine
from streaming.engines.rows import RowEngine
from streaming.engines.rulebook import RuleBook
from streaming.hub import Hub
from streaming.jobs import (
    FiguresJob,
    ForgetJob,
    LeaseJob,
    ListingJob,
    ReportsJob,
    SealerJob,
    hint_receiver,
)
from streaming.node import Job, Node
from streaming.upkeep import (
    CursorsJob,
    DatabaseTape,
    RecordingJob,
    RulesJob,
    StrainsJob,
    TapeJob,
)

_starting = asyncio.Lock()


def build(*, url: str = "") -> Node:
    """A node that is not started yet; ``url`` is how other processes reach it."""
    links, replays = Links(), ReplayEngine(load=driver.load_view)
    rules = RuleBook(topic_rules.load)
    recorder = Recorder(DatabaseTape(lambda: node.lease_id))
    recording, cursors, webhooks = RecordingJob(recorder), CursorsJob(), Webhooks()
    strains = StrainsJob()
    jobs: list[Job] = [
        LeaseJob(),
        ListingJob(),
        ReportsJob(),
        ForgetJob(),
        SealerJob(),
        FiguresJob(),
        RulesJob(),
        recording,
        TapeJob(),
        cursors,
        strains,
        hint_receiver(),
        links,
        Watcher(links),
        ToolUses(links),
        Liveness(),
        Sweep(),
        Idle(),
        Deadlines(),
        webhooks,
        Closing(),
        Sandboxes(),
        Retention(),
        driver.Driver(replays),
        Watching(),
    ]
    if settings.ENVIRONMENT.worker:
        jobs += [Worker(EQUIPMENT), ToolServers()]
    # Asked in this order for a log; the last has one for every name.
    hub = Hub(engines=[RowEngine(), replays, _live(rules, recorder)], rules=rules)
    last = [webhooks.stop, recording.finish, cursors.run, strains.run]
    node = Node(hub=hub, jobs=jobs, url=url, last=last)
    return node


def build_worker(*, url: str) -> Node:
    """A node that serves nobody and carries out runs, beside those that serve."""
    rules = RuleBook(topic_rules.load)
    recorder = Recorder(DatabaseTape(lambda: node.lease_id))
    recording, strains = RecordingJob(recorder), StrainsJob()
    jobs: list[Job] = [
        LeaseJob(),
        FiguresJob(),
        RulesJob(),
        recording,
        strains,
        hint_receiver(),
        Worker(EQUIPMENT),
        ToolServers(),
    ]
    hub = Hub(engines=[RowEngine(), _live(rules, recorder)], rules=rules)
    node = Node(hub=hub, jobs=jobs, url=url, last=[recording.finish, strains.run])
    return node


def _live(rules: RuleBook, recorder: Recorder) -> Engine:
    url = settings.ENVIRONMENT.redis_url
    if url:
        from streaming.engines.valkey import ValkeyEngine  # noqa: PLC0415 -- slow import

        return ValkeyEngine(url, rules=rules, recorder=recorder)
    return RecordingEngine(recorder, rules=rules)


async def ensure() -> Node:
    """The running node of this process, started now if it is not."""
    async with _starting:
        node = nodes.current()
        if node is None:
            instruments.start_tracing()
            node = build()
            await node.start()
            nodes.install(node)
        return node


async def work(*, url: str, until: asyncio.Event) -> None:
    """Be a worker until the event is set; runs that are not over then are let go."""
    instruments.start_tracing()
    node = build_worker(url=url)
    await node.start()
    nodes.install(node)
    try:
        await until.wait()
    finally:
        node.is_draining = True
        await _end_work(node)
        await node.stop()
        nodes.install(None)


async def _end_work(node: Node) -> None:
    for name in (Watching.name, Worker.name):
        job = node.find(name)
        if isinstance(job, Watching | Worker):
            await job.stop()


async def end() -> None:
    """Stop the node, if one runs."""
    node = nodes.current()
    if node is not None:
        node.is_draining = True
        await driver.Driver.of(node).stop()
        await _end_work(node)
        await Links.of(node).drain(node)
        await node.stop()
        nodes.install(None)
