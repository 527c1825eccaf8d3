"""One client process of the soak: components that follow every topic and check what they get."""

import argparse
import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from components.sdk import Component, FileCursors, Gap, Record, Rewind, Subscription

REPORT_SECONDS = 1.0


class Follower:
    """A component whose records must follow on one another unless it was told otherwise."""

    def __init__(self, number: int, url: str, folder: Path, counts: Counter[str]) -> None:
        self.counts = counts
        self.last: dict[str, int] = {}
        self.component = Component(
            f"follower-{number}",
            role="sink",
            topics=[Subscription("soak.**")],
            url=url,
            cursors=FileCursors(folder / f"{number}.json"),
            stay=True,
        )
        # What comes twice over the wire is left out by the SDK, so it is counted before.
        streams = self.component._life.streams
        take = streams.take

        def watched(frame: Any) -> Any:
            track = streams._track(frame) if frame.COMMAND == "" else None
            first = frame.seq if frame.msgs is None else frame.first
            if track is not None and track.proof is not None and first <= track.proof.seq:
                counts["duplicates"] += 1
            return take(frame)

        streams.take = watched  # type: ignore[method-assign]

    async def follow(self) -> None:
        """Read until the end of the soak."""
        async for batch in self.component.batches():
            for event in batch.events:
                self.check(event)

    def check(self, event: Any) -> None:
        """Count one event, and what it breaks."""
        if isinstance(event, Record):
            self.counts["records"] += 1
            seq = self.last.get(event.topic, event.seq - 1)
            if event.seq <= seq:
                self.counts["reorders"] += 1
            elif event.seq > seq + 1:
                self.counts["unannounced"] += 1
            self.last[event.topic] = event.seq
        elif isinstance(event, Gap):
            is_told = event.reason != "unannounced"
            self.counts["gaps announced" if is_told else "unannounced"] += 1
            self.last[event.topic] = event.next - 1
        elif isinstance(event, Rewind):
            self.counts["rewinds"] += 1
            self.last[event.topic] = event.to


async def report(counts: Counter[str]) -> None:
    """Print what was counted, again and again: a process that is killed has said almost all."""
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        state = {"tasks": len(asyncio.all_tasks()), "fds": len(os.listdir("/proc/self/fd"))}
        print(json.dumps({**counts, **state}), flush=True)


async def publish(url: str, topics: int, rate: float) -> None:
    """Publish to every topic at a steady rate."""
    async with Component("feed", role="feed", url=url, stay=True) as feed:
        number = 0
        while True:
            await feed.publish(f"soak.{number % topics}", {"n": number})
            number += 1
            await asyncio.sleep(1 / rate)


async def main() -> None:
    """Follow with so many components, or publish."""
    parser = argparse.ArgumentParser()
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--topics", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=Path())
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    async with asyncio.TaskGroup() as group:
        for number in range(given.first, given.first + given.count):
            url = given.urls[number % len(given.urls)]
            group.create_task(Follower(number, url, given.folder, counts).follow())
        if given.rate:
            group.create_task(publish(given.urls[0], given.topics, given.rate))
        group.create_task(report(counts))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
