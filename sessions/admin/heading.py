"""What stands in the header of a page: the list that it belongs to, and its own name."""

from types import SimpleNamespace
from typing import Any

from django.db.models import Model


class Heading:
    """What Unfold's header needs to write the name of a list, linked, and a name behind it."""

    def __init__(self, model: type[Model], title: str, pk: Any, *, plural: str = "") -> None:
        opts = model._meta
        self._meta = SimpleNamespace(
            app_label=opts.app_label,
            model_name=opts.model_name,
            verbose_name_plural=plural or opts.verbose_name_plural,
        )
        self.title, self.pk = title, pk

    def __str__(self) -> str:
        # Unfold makes the first letter a capital; the joiner, which nobody sees, is not one.
        return f"\u2060{self.title}"
