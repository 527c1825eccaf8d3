"""Settings that list things in one text."""


def listed(text: str) -> list[str]:
    """``one,two`` as a list; blanks and empty entries are left out."""
    return [entry for part in text.split(",") if (entry := part.strip())]


def pairs(text: str, *, of: str) -> list[tuple[str, str]]:
    """
    ``name=value,name=value`` as a list; ``of`` is what a value is called.

    :raises ValueError: for an entry without a name or a value
    """
    found = []
    for entry in listed(text):
        name, sign, value = entry.partition("=")
        if not sign or not name or not value:
            raise ValueError(f"{entry!r} is not name={of}")
        found.append((name, value))
    return found
