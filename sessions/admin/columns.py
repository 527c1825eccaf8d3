"""Charts of days as columns: what has no number has no column."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis_project import marks

WIDTH, HEIGHT = 660, 108
# Above the tallest column, and between two.
EDGE, GAP = 6.0, 0.25


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn of some days: ``is_partial`` says that the last one is not over."""

    title: str
    days: Sequence[str]
    values: Sequence[float | None]
    is_partial: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be drawn."""
        return not any(self.values)

    @property
    def sentence(self) -> str:
        """The chart in words, for whoever does not see it."""
        known = [(value, day) for value, day in zip(self.values, self.days, strict=True) if value]
        if not known:
            return f"{self.title}: none in this span."
        top, day = max(known)
        total = sum(value for value, _ in known)
        return f"{self.title}: {total:g} from {self.days[0]} to {self.days[-1]}, most on {day} ({top:g})."

    @property
    def most(self) -> str:
        """What the top of its scale stands for."""
        top = self._top()
        return marks.number(top) if top == int(top) else f"{top:.2g}"

    @property
    def svg(self) -> SafeString:
        """The columns; their scale begins at 0 and ends at the largest."""
        return format_html(
            '<svg class="ae-days" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
            ' aria-label="{}"><line data-grid x1="0" x2="{}" y1="{}" y2="{}"/>'
            '{}<line x1="0" x2="{}" y1="{}" y2="{}"/></svg>',
            WIDTH,
            HEIGHT,
            self.sentence,
            WIDTH,
            EDGE,
            EDGE,
            format_html_join("", "{}", ((one,) for one in self._columns())),
            WIDTH,
            HEIGHT,
            HEIGHT,
        )

    def _columns(self) -> list[SafeString]:
        top = self._top()
        step = WIDTH / len(self.days)
        last = len(self.days) - 1
        return [
            format_html(
                '<rect x="{}" y="{}" width="{}" height="{}"{}><title>{}: {}</title></rect>',
                f"{place * step + step * GAP / 2:.1f}",
                f"{HEIGHT - value / top * (HEIGHT - EDGE):.1f}",
                f"{step * (1 - GAP):.1f}",
                f"{value / top * (HEIGHT - EDGE):.1f}",
                SafeString(" data-partial") if self.is_partial and place == last else "",
                day,
                f"{value:g}",
            )
            for place, (day, value) in enumerate(zip(self.days, self.values, strict=True))
            if value
        ]

    def _top(self) -> float:
        return max((value for value in self.values if value), default=1.0)
