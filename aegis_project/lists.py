"""Change lists that never count a whole table."""

import re
from typing import Any, ClassVar, NamedTuple

from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import EmptyPage, Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

PER_PAGE = 50
# One column of an order, and whether downwards.
PLACE = re.compile(r"(-?)([0-9]{1,3})")
# Parameters of a change list that do not narrow it.
WIDE = frozenset({"p", "o", "e", "all", "view", "_facets"})


class UncountedPaginator(Paginator):  # type: ignore[type-arg]  # not a generic at run time
    """
    Reads the rows of one page and one more, to know whether there is a next page.

    ``count`` is what is known after that: everything up to the end of this page, plus one if
    there is more. Only a list that somebody narrowed is counted (``is_counted``).
    """

    template_name = "admin/aegis/pages.html"

    def __init__(self, rows: Any, per_page: int, *, number: int, is_counted: bool) -> None:
        super().__init__(rows, per_page)
        self.rows = rows
        self.number = max(number, 1)
        self.is_counted = is_counted

    @cached_property
    def glimpse(self) -> list[Any]:
        """The rows of the page and, if there is one, the row after."""
        start = (self.number - 1) * self.per_page
        return list(self.rows[start : start + self.per_page + 1])

    @cached_property
    def has_more(self) -> bool:
        return len(self.glimpse) > self.per_page

    @cached_property
    def count(self) -> int:
        if self.is_counted:
            return int(self.rows.count())
        return (self.number - 1) * self.per_page + len(self.glimpse)

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]  # as above
        """The one page that was asked for."""
        if not self.glimpse and self.number > 1:
            raise EmptyPage("There is nothing on this page.")
        return Page(self.glimpse[: self.per_page], int(number), self)


class PlainChangeList(ChangeList):  # type: ignore[misc]  # Unfold ships no types
    """A change list that says of its size only what it knows."""

    result_list: Any

    @property
    def params(self) -> dict[str, str]:
        """What was asked for, with columns by their places in this list."""
        return self._params

    @params.setter
    def params(self, asked: dict[str, str]) -> None:
        if ORDER_VAR in asked:
            asked = {**asked, ORDER_VAR: moved(asked[ORDER_VAR], -self.missing)}
        self._params = asked

    @property
    def missing(self) -> int:
        """How many columns others have before the first of this list: the one of the boxes."""
        return int("action_checkbox" not in self.list_display)

    def get_query_string(self, new_params: dict[str, Any] | None = None, remove: Any = None) -> str:
        """An address that means the same columns for whoever opens it."""
        if new_params and new_params.get(ORDER_VAR):
            new_params = {**new_params, ORDER_VAR: moved(new_params[ORDER_VAR], self.missing)}
        return str(super().get_query_string(new_params, remove))

    def get_results(self, request: HttpRequest) -> None:
        """Read the page; what is not counted is not shown as a count."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        if not self.paginator.is_counted:
            # Unfold offers to select all rows when it believes that it knows how many there are.
            self.result_count = len(self.result_list)
        self.full_result_count = self.result_count


def moved(order: str, by: int) -> str:
    """An order by columns, each so many places further on; what is before the first is none."""
    parts = (PLACE.fullmatch(part) for part in order.split("."))
    places = [(one[1], int(one[2]) + by) for one in parts if one]
    return ".".join(f"{sign}{place}" for sign, place in places if place >= 0)


class Empty(NamedTuple):
    """What a list without rows says: that there is none, what one is, and the line that makes it."""

    title: str
    what: str
    line: str = ""


class PlainAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold ships no types
    """The base of our lists: full width, never counted, nothing deleted."""

    list_fullwidth = True
    list_filter_sheet = False
    list_per_page = PER_PAGE
    show_full_result_count = False
    warn_unsaved_form = True
    empty: ClassVar[Empty] = Empty("Nothing here yet", "")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlainChangeList

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: Any,
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,  # noqa: FBT001, FBT002 -- Django's signature
    ) -> UncountedPaginator:
        number = request.GET.get("p", "1")
        return UncountedPaginator(
            queryset,
            per_page,
            number=int(number) if number.isdecimal() else 1,
            is_counted=bool(request.GET.keys() - WIDE),
        )

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """
        Carry out what is to be done to several rows.

        :raises BadRequest: for names that no row can have
        """
        try:
            answer: HttpResponse | None = super().response_action(request, queryset)
        except ValidationError as error:
            raise BadRequest(str(error)) from None
        return answer

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows leave by their own services, never by the admin's delete."""
        return False
