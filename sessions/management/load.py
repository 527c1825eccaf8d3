"""The work of `aegis load-test`: sessions in which one component publishes and others read."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from aegis_project.kit.errors import AegisError
from components.sdk import Component
from sessions.management.verbs import TimedOut

TOPIC = "load"
# For what is on its way when the last was published, and for everybody to come.
GRACE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much: each session has one component that publishes ``rate`` a second, others read."""

    sessions: int
    components: int
    rate: float
    seconds: float

    @property
    def records(self) -> int:
        """How many each session's publisher publishes."""
        return max(1, int(self.rate * self.seconds))

    @property
    def deliveries(self) -> int:
        """How many all readers should get."""
        return self.sessions * (self.components - 1) * self.records


@dataclass(slots=True)
class Measured:
    """What was published, and how long after that each reader had it, in seconds."""

    sent: int = 0
    lags: list[float] = field(default_factory=list)


def run(url: str, tokens: Sequence[str], load: Load) -> Measured:
    """
    Load a server for as long as it was said, over its sockets; one token per session.

    :raises AegisError: why the server did not take a component
    :raises TimedOut: if not all of them stream in time
    """
    try:
        return asyncio.run(_all(url, tokens, load))
    except ExceptionGroup as group:
        raise _why(group) from None


def _why(group: ExceptionGroup[Exception]) -> Exception:
    for one in group.exceptions:
        if isinstance(one, AegisError):
            return one
    is_late = group.subgroup(TimeoutError) is not None
    return TimedOut(f"Not all components stream within {GRACE_SECONDS:g} s.") if is_late else group


async def _all(url: str, tokens: Sequence[str], load: Load) -> Measured:
    measured = Measured()
    gate = asyncio.Barrier(len(tokens) * load.components)
    async with asyncio.TaskGroup() as group:
        for token in tokens:
            group.create_task(_publish(url, token, load, gate, measured))
            for number in range(1, load.components):
                group.create_task(_read(url, token, load, gate, measured, f"reader-{number}"))
    return measured


async def _publish(
    url: str, token: str, load: Load, gate: asyncio.Barrier, measured: Measured
) -> None:
    async with Component("publisher", role="feed", url=url, token=token) as component:
        await _together(component, gate)
        begun = time.perf_counter()
        for number in range(load.records):
            await asyncio.sleep(max(0.0, begun + number / load.rate - time.perf_counter()))
            said = {"number": number, "at": time.perf_counter()}
            # The last is waited for, and all before it are there then.
            if number == load.records - 1:
                await component.append(TOPIC, said)
            else:
                await component.publish(TOPIC, said)
            measured.sent += 1


async def _read(
    url: str, token: str, load: Load, gate: asyncio.Barrier, measured: Measured, name: str
) -> None:
    async with Component(name, role="sink", topics=[TOPIC], url=url, token=token) as component:
        await _together(component, gate)
        try:
            async with asyncio.timeout(load.seconds + GRACE_SECONDS):
                async for record in component.records():
                    measured.lags.append(time.perf_counter() - record.data["at"])
                    if record.data["number"] == load.records - 1:
                        break
        except TimeoutError:
            # What did not come is missing in what was measured.
            return


async def _together(component: Component, gate: asyncio.Barrier) -> None:
    """Begin when everybody streams."""
    async with asyncio.timeout(GRACE_SECONDS):
        await component.running()
        await gate.wait()
