"""The lifecycle table of the specification, as it is written there."""

from sessions.core.lifecycle import State

REFUSED, NO_OP = "–", "no-op"

TABLE = """
| Command  | created   | running   | paused    | stopped   | failed  | completed | ended |
| start    | running   | no-op     | running   | running   | running | –         | –     |
| pause    | –         | paused    | no-op     | –         | –       | –         | –     |
| stop     | –         | stopped   | stopped   | no-op     | stopped | –         | –     |
| fail     | failed    | failed    | failed    | failed    | no-op   | –         | –     |
| complete | completed | completed | completed | completed | –       | no-op     | –     |
| end      | ended     | ended     | ended     | ended     | ended   | –         | no-op |
| recover  | –         | –         | paused    | paused    | paused  | –         | –     |
| restart  | –         | running   | running   | running   | running | –         | –     |
"""
# A historical session can be restarted from completed, too; these are the cells of the others.
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.split("\n")[1:-1]]
STATES = [State(word) for word in ROWS[0][1:]]
COMMANDS = [command for command, *_ in ROWS[1:]]
# What needs nothing but a session; `recover` needs a checkpoint.
LEVER = [command for command in COMMANDS if command != "recover"]
CELLS = [
    (command, state, word)
    for command, *words in ROWS[1:]
    for state, word in zip(STATES, words, strict=True)
]


def allowed(state: State) -> list[str]:
    """The commands that the table does not refuse in a state."""
    return [command for command, at, word in CELLS if at is state and word != REFUSED]


def target(command: str, state: State) -> State | None:
    """Where a command leads from a state; None if it is refused."""
    word = {(name, at): word for name, at, word in CELLS}[command, state]
    if word == REFUSED:
        return None
    return state if word == NO_OP else State(word)
