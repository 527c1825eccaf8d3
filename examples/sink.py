"""Everything that is said in a session: one line a second, or every record as a line of JSON."""

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.sdk import Batch, FileCursors, Gap, Receipt, Record, Subscription, sync


class Sink:
    """Counts what comes, and writes it if there is a file."""

    def __init__(self, file: TextIO | None) -> None:
        self.file = file
        self.records = 0
        self.told_at = time.monotonic()

    def take(self, batch: Batch) -> None:
        """One batch: records are counted, what else it says is printed."""
        for event in batch.events:
            if isinstance(event, Record):
                self.write(event)
            elif isinstance(event, Receipt):
                word = "verified" if event.is_verified else "not verified"
                print(f"{event.topic}: end at {event.seq}, {word}", flush=True)
            elif isinstance(event, Gap):
                print(f"{event.topic}: {event.count} missing ({event.reason})", flush=True)
        if self.file is None and time.monotonic() - self.told_at >= 1:
            self.told_at = time.monotonic()
            print(f"{self.records} records, {batch.topic} at {batch.cursor}", flush=True)

    def write(self, record: Record) -> None:
        """Count a record; as a line it has its topic, place, time and data."""
        self.records += 1
        if self.file is not None:
            line = {
                "topic": record.topic,
                "seq": record.seq,
                "ts": record.ts,
                "data": record.data,
            }
            self.file.write(json.dumps(line) + "\n")


def run(options: argparse.Namespace, file: TextIO | None) -> None:
    sink = Sink(file)
    topics = [Subscription(topic, start=options.start) for topic in options.topics or ["**"]]
    cursors = FileCursors(options.cursors) if options.cursors else None
    with sync.Component(options.name, role="sink", topics=topics, cursors=cursors) as component:
        for batch in component.batches():
            sink.take(batch)
    print(f"{sink.records} records", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topics", nargs="*", help="topics or patterns; all of them without any")
    parser.add_argument("--name", default="sink")
    parser.add_argument("--start", default="latest", help="latest, latest-n, earliest, …")
    parser.add_argument("--file", type=Path, help="write records here, one JSON value a line")
    parser.add_argument("--cursors", type=Path, help="keep cursors here and go on from them")
    options = parser.parse_args()
    if options.file is None:
        run(options, None)
    else:
        with options.file.open("a", encoding="utf-8") as file:
            run(options, file)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
