"""The values in a capsule as columns have them."""

import binascii
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import JSONField

from aegis_project.kit.errors import ValidationFailed


def judged(field: Any, value: Any) -> Any:
    """
    The value of a column, if it can have it.

    :raises ValidationFailed: otherwise
    """
    try:
        if value is None:
            if not field.null:
                raise ValidationError("There is none.")
            return None
        found = field.to_python(value)
        if isinstance(field, JSONField) and field.default in {dict, list}:
            _be(isinstance(found, field.default))
        if (
            field.choices
            and found not in dict(field.flatchoices)
            and not (field.blank and found == "")
        ):
            raise ValidationError("It is no word of it.")
        field.run_validators(found)
    except (ValidationError, TypeError, ValueError, ArithmeticError, binascii.Error):
        raise ValidationFailed(f"{field.name} cannot be what it is in the capsule.") from None
    return found


def _be(is_right: object) -> None:
    if not is_right:
        raise ValidationError("It is none of what it may be.")
