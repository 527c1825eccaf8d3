"""The reference pages that are drawn from the code: ``python -m aegis_project.documents``."""

import argparse
import importlib
import os
import pkgutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import django

from aegis_project import cli_document
from aegis_project.kit import states
from aegis_project.kit.errors import AegisError, default_message
from components.core import events as component_events
from components.core import launching
from components.core import lifecycle as components
from sessions.core import approvals, runs, tool_calls
from sessions.core import events as session_events
from sessions.core import lifecycle as sessions
from streaming.core import errors as stream_errors

DIRECTORY = Path(__file__).parent.parent / "docs"
PACKAGES = ("aegis_project", "components", "sessions", "streaming")
NOTE = "<!-- Drawn from the code by `python -m aegis_project.documents`; do not edit. -->"

SESSION = """\
A command that leads to the state it came from is a *no-op*: it succeeds, writes no event and
leaves `version` alone. A dash is refused with `INVALID_STATE`, which says `from`, `command` and
`allowed`. While a start waits for required components, {withdraws} withdraw it, also where the
table alone would refuse them; the state is then still the one before. `delete` is legal
everywhere: it ends an open session and hides any.

`restart` begins a new activation, also of a session that runs; a historical one begins its source
anew, and can be restarted from completed, too. When it has to wait for required components it waits
in paused instead of running, and in stopped instead of completed. `seek`, `step` and `speed` move
the clock of a historical session: [historical.md](historical.md) says where.

Components are attached in {attachable}; they register in every open state ({open}).
"""

COMPONENT = """\
`register` is legal everywhere, because the newest connection of a component wins. `run` and
`hold` are its session's doing: a start runs whoever is ready, a pause or a failure holds whoever
runs. `lose` is silence or a lost control socket; who is not ready again within the grace fails.

Seed 000 knows four words for these states: {words}. A lost component reads *failed* from the end
of its grace on.
"""

LAUNCH = """\
The program of a component, for which a session's start asks with `want`. A launcher takes the row,
says `begin` before it makes a process and `run` when it is there; `stop` sends it TERM, and KILL
after its grace. When it has ended, the program's restart policy decides: `retry` after a pause,
`end` when the work is done or nobody wants it any more, `fail` when it is given up, which fails its
component too.
"""

RUN = """\
One piece of work that an agent does. A worker takes it (`claim`) under a lease and a fence; when
that worker is gone or ends, it is queued again (`release`) for the next attempt, of which there are
at most {attempts}. It waits for an approval, for a raised budget, for input, or for a person who
says what became of a tool call.

Seed 002 reads {task_words}; A2A reads {a2a_words}.
"""

TOOL_CALL = """\
A run's request to act. The row says `running` before the effect and what came of it afterwards; a
worker that was gone in between leaves it `unknown`, for a person to say what happened, or to have
it done again (`approve`).

Seed 004 knows six words: {words}.
"""

APPROVAL = """\
The one decision on a tool call: whoever comes first decides, the clock included.
"""

ERRORS = """\
Every refusal and every anticipated failure has one code, and each code one class and one status.
*Later* says that the same request may succeed later. *Close* is the code with which a socket is
closed when the error ends it; an error without one is told in a frame and the socket stays.
"""

EVENTS = """\
What stands in a session's ledger. Every event has `seq`, `type`, `ts`, `actor`, `cause` and
`data`; this page says what `data` holds.
"""


METRICS = """\
What `/metrics` says, in the text format of Prometheus ([operations.md](operations.md)). Labels are
words of few kinds, never ids. A gauge without a process in its meaning is read from the database
and the same whichever process is asked. The seven names of seed 004 are those without `aegis_`.
"""


def page(title: str, *parts: str) -> str:
    """A page of Markdown under its title, marked as drawn."""
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


def prose(text: str) -> str:
    """Paragraphs, filled to the width of our lines."""
    return "\n\n".join(textwrap.fill(part, 100) for part in text.strip().split("\n\n"))


def rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


# States


def states_page() -> str:
    """Every machine as a diagram and as a table."""
    open_states = [state for state in sessions.State if state in sessions.OPEN]
    attachable = [state for state in sessions.State if state in sessions.ATTACHABLE]
    session = SESSION.format(
        withdraws=listed(sessions.WITHDRAWS),
        attachable=listed(attachable),
        open=listed(open_states),
    )
    component = COMPONENT.format(words=spoken(components.WORDS))
    call = TOOL_CALL.format(words=spoken(tool_calls.WORDS))
    run = RUN.format(
        attempts=runs.MAX_ATTEMPTS,
        task_words=spoken(runs.TASK_WORDS),
        a2a_words=spoken(runs.A2A_WORDS),
    )
    return page(
        "States",
        *machine("Session", session, sessions.TRANSITIONS),
        *machine("Component", component, components.TRANSITIONS),
        *machine("Launch", LAUNCH, launching.TRANSITIONS),
        *machine("Run", run, runs.TRANSITIONS),
        *machine("Tool call", call, tool_calls.TRANSITIONS),
        *machine("Approval", APPROVAL, approvals.TRANSITIONS),
    )


def spoken(words: Mapping[Any, str]) -> str:
    """The words of a dialect, each with the states that read so."""
    read = {
        word: [state.value for state, other in words.items() if other == word]
        for word in words.values()
    }
    return listed([f"*{word}* ({', '.join(found)})" for word, found in read.items()])


def machine(title: str, text: str, table: states.Table[Any]) -> list[str]:
    """One machine: what is to be said of it, its diagram, its table."""
    # In the order of the state that knows most of them.
    known = sorted(table.values(), key=len, reverse=True)
    commands = list(dict.fromkeys(name for one in known for name in one))
    body = [[f"`{name}`", *(_cell(table, state, name) for state in table)] for name in commands]
    diagram = f"```mermaid\n{states.mermaid(table)}\n```"
    head = ["Command", *(state.value for state in table)]
    return [f"## {title}", prose(text), diagram, rows(head, body)]


def _cell(table: states.Table[Any], state: StrEnum, command: str) -> str:
    target = table[state].get(command)
    if target is None:
        return "–"
    return "no-op" if target is state else str(target.value)


def listed(words: Sequence[str]) -> str:
    """Words in one sentence."""
    return f"{', '.join(words[:-1])} and {words[-1]}"


# Errors


def errors_page() -> str:
    """The catalogue, by code."""
    body = [_error(kind) for kind in sorted(catalogue(), key=lambda kind: kind.code)]
    return page(
        "Errors", prose(ERRORS), rows(["Code", "Status", "Later", "Close", "Meaning"], body)
    )


def catalogue() -> list[type[AegisError]]:
    """Every class that has a code of its own, wherever it stands."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages(
            importlib.import_module(package).__path__, f"{package}."
        ):
            importlib.import_module(found.name)
    return [kind for kind in _kinds(AegisError) if "code" in kind.__dict__]


def _kinds(kind: type[AegisError]) -> Iterator[type[AegisError]]:
    for child in kind.__subclasses__():
        if child.__module__.partition(".")[0] in PACKAGES:
            yield child
            yield from _kinds(child)


def _error(kind: type[AegisError]) -> list[str]:
    is_closing = getattr(kind, "close", None) or kind in stream_errors.CLOSES
    close = str(int(stream_errors.close_code(kind()))) if is_closing else ""
    later = "yes" if kind.temporary else ""
    meaning = default_message(kind).replace("``", "`")
    return [f"`{kind.code}`", str(kind.status), later, close, meaning]


# Events


def events_page() -> str:
    """The types of events and what their data holds, by app."""
    return page(
        "Events",
        prose(EVENTS),
        "## Sessions",
        _events(session_events.DESCRIPTIONS),
        "## Conversations, agents and tools",
        _events(session_events.WORK),
        "## Components",
        _events(component_events.DESCRIPTIONS),
    )


def _events(descriptions: Mapping[Any, str]) -> str:
    body = []
    for event, text in descriptions.items():
        meaning, _, data = text.partition(" Data: ")
        body.append([f"`{event.value}`", meaning, data.rstrip(".")])
    return rows(["Type", "Meaning", "Data"], body)


# Metrics


def metrics_page() -> str:
    """What `/metrics` says, by name."""
    from aegis_project import metrics  # noqa: PLC0415 -- app ready

    catalogue()
    table = rows(["Name", "Kind", "Labels", "Meaning"], metrics.described())
    return page("Metrics", prose(METRICS), table)


def cli_page() -> str:
    """Every command of the command line."""
    return page("Commands", prose(cli_document.HEAD), *cli_document.sections())


# Writing

PAGES: dict[str, Callable[[], str]] = {
    "states.md": states_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "metrics.md": metrics_page,
    "cli-reference.md": cli_page,
}


def stale() -> list[str]:
    """The names of the pages that are not what the code says."""
    return [name for name, draw in PAGES.items() if _written(DIRECTORY / name) != draw()]


def _written(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def main(arguments: Sequence[str]) -> int:
    """Write the pages; with ``--check`` write nothing and fail when one is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    is_check = parser.parse_args(arguments).check
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
    django.setup()
    names = stale()
    for name in names:
        sys.stdout.write(f"{'Stale' if is_check else 'Written'}: docs/{name}\n")
        if not is_check:
            (DIRECTORY / name).write_text(PAGES[name]())
    return 1 if is_check and names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
