"""Facets whose values are ticked, several at once: the address has them behind each other."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.marks import Mark
from sessions.models import Session


class Ticks(SimpleListFilter):
    """
    Sessions of which one property is any of those that are ticked.

    An address may also say ``…__exact`` of one value, as Django does. A word that is not known
    here stands among the others when it is asked for. Counts are read when somebody wants them.
    """

    template = "admin/aegis/ticks.html"
    words: ClassVar[tuple[str, ...]] = ()
    marks: ClassVar[Mapping[str, Mark]] = {}
    is_folded = False

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        asked = [self.value() or "", *params.pop(f"{self.parameter_name}__exact", [])]
        said = [word for one in asked for word in one.split(",") if word]
        self.ticked = list(dict.fromkeys(said))

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name, f"{self.parameter_name}__exact"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in self.words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        return queryset.filter(self.any_of(self.ticked)) if self.ticked else queryset

    def any_of(self, ticked: list[str]) -> Q:
        """Which sessions have one of these."""
        return Q(**{f"{self.parameter_name}__in": ticked})

    def get_facet_counts(self, pk_attname: str, filtered_qs: Any) -> dict[str, Any]:
        return {
            f"{place}__c": Count(pk_attname, filter=self.any_of([word]))
            for place, word in enumerate(self.told)
        }

    @property
    def told(self) -> list[str]:
        """The words that can be ticked: those that are known, and those that were asked for."""
        known = [word for word, _ in self.lookup_choices]
        return known + [word for word in self.ticked if word not in known]

    def choices(self, changelist: Any) -> Iterator[Any]:
        counts = self.get_facet_queryset(changelist) if changelist.add_facets else {}
        for place, word in enumerate(self.told):
            rest = [one for one in self.ticked if one != word]
            asked = rest if word in self.ticked else [*self.ticked, word]
            new = {self.parameter_name: ",".join(asked)} if asked else {}
            yield {
                "selected": word in self.ticked,
                "query_string": changelist.get_query_string(new, self.expected_parameters()),
                "display": word,
                "shape": self._shape(word),
                "tone": self.marks[word].tone if word in self.marks else "",
                "count": counts.get(f"{place}__c"),
            }

    def _shape(self, word: str) -> SafeString:
        return marks.shape(self.marks[word].shape) if word in self.marks else SafeString("")
