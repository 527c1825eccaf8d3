"""What the summary counts: which actors tried which verbs over which transports, and what leaked."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

PROPERTY = "access"


def note(
    record: Callable[[str, object], None],
    *,
    verb: str,
    actors: Iterable[str],
    leaks: list[str],
    transport: str = "HTTP",
) -> None:
    """Put what a test has tried into its report, which comes back from whichever process ran it."""
    tried = {"verb": verb, "transport": transport, "actors": sorted(actors), "leaks": len(leaks)}
    record(PROPERTY, json.dumps(tried))


def lines(found: Iterable[str]) -> list[str]:
    """What all tests together have tried, in words; nothing if none did."""
    tried = [json.loads(one) for one in found]
    if not tried:
        return []
    actors = {name for one in tried for name in one["actors"]}
    verbs = Counter(one["transport"] for one in tried)
    cases, leaks = sum(len(one["actors"]) for one in tried), sum(one["leaks"] for one in tried)
    ways = ", ".join(f"{name} {count}" for name, count in sorted(verbs.items()))
    return [
        f"Access: {len(actors)} actors × {len(tried)} verbs × {len(verbs)} transports: "
        f"{cases} cases, {leaks} leaks",
        f"Verbs by transport: {ways}",
    ]


def summarise(reporter: Any) -> None:
    """Say at the end what was tried, by whichever process."""
    reports = [one for some in reporter.stats.values() for one in some]
    found = [
        value
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    for line in lines(found):
        reporter.write_line(line)
