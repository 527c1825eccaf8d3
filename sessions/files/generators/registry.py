"""Which generator is for which type of file."""

from collections.abc import Callable

from aegis_project.kit.errors import ValidationFailed
from sessions.files.generators import code, data, report
from sessions.files.generators.base import Made, Wanted, check

TYPES: dict[str, Callable[[Wanted], Made]] = {
    "report": report.make,
    "data": data.make,
    "code": code.make,
}


def make(wanted: Wanted) -> Made:
    """
    The file that is wanted.

    :raises ValidationFailed: for a format or language that there is not, or what cannot be written
    :raises PayloadTooLarge: for more than one file has
    """
    check(wanted)
    try:
        return TYPES[wanted.type](wanted)
    except UnicodeEncodeError:
        raise ValidationFailed("A text has a lone surrogate.") from None
