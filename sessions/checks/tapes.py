"""How much the recorded topics take."""

from collections.abc import Iterator

from django.conf import settings

from aegis_project.health import Finding, State, check
from streaming.selectors import tape_sizes

GIGA = 1_000_000_000
NEARLY = 0.8
FIX = (
    "aegis purge --older-than 30 --dry-run shows what would go; a topic rule with tape lets older "
    "records go by themselves."
)


@check
def tape() -> Iterator[Finding]:
    """Whether what is recorded of topics stays within its limit."""
    most, found = settings.ENVIRONMENT.tape_limit_gb, tape_sizes.size()
    took = found.bytes / GIGA
    about = "" if found.is_measured else "about "
    said = f"Tapes take {about}{took:.1f} GB"
    if not most:
        yield Finding("tape", State.OK, f"{said}; there is no limit.")
    elif took <= NEARLY * most:
        yield Finding("tape", State.OK, f"{said}, limit {most:g} GB.")
    else:
        state = State.ERROR if took > most else State.WARNING
        yield Finding("tape", state, f"{said}, limit {most:g} GB{_mostly()}.", FIX)


def _mostly() -> str:
    found = tape_sizes.largest()
    return f"; {found[1] / GIGA:.1f} GB are of {found[0]}" if found else ""
