"""How long the texts of a session may be."""

from aegis_project.kit.errors import ValidationFailed

LIMITS = {
    "name": 200,
    "agent": 100,
    "owner_label": 200,
    "reason": 500,
    "template": 100,
    "label": 200,
}


def check(**texts: str) -> None:
    """
    Go on only if each text, by the name of its field, is short enough to be kept.

    :raises ValidationFailed: naming the first that is not
    """
    for field, text in texts.items():
        if len(text) > LIMITS[field]:
            raise ValidationFailed(
                f"{field} has at most {LIMITS[field]} characters.",
                field=field,
                longest=LIMITS[field],
            )
