"""How an agent names its model: a provider, a colon, and what the provider calls it."""

import re
from typing import NamedTuple

from aegis_project.kit.errors import ValidationFailed

DEFAULT = "default"
"""The model that is configured, else the scripted assistant."""

SCRIPTED = "scripted"
KINDS = ("openai", "azure", "anthropic")
RESERVED = frozenset({*KINDS, SCRIPTED, DEFAULT})
FORM = re.compile(r"(?P<provider>[a-z0-9][a-z0-9_-]{0,49}):(?P<model>[\w./:@+-]{1,140})")


class Reference(NamedTuple):
    """A model of a provider, whose word is a kind, its own slug, or ``scripted``."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


def read(text: str) -> Reference:
    """
    The reference that the text is.

    :raises ValidationFailed: if it is none
    """
    found = FORM.fullmatch(text)
    if found is None:
        raise ValidationFailed(
            "A model is named as PROVIDER:MODEL (openai:gpt-5, scripted:assistant), or default.",
            field="model",
        )
    return Reference(found["provider"], found["model"])
