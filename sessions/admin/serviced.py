"""Rows that services make, change and remove, on one form of ours."""

from abc import abstractmethod
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.lists import PlainAdmin
from components.admin.asking import asking


class ServicedAdmin(PlainAdmin):
    """
    A list, and a form whose ``save`` and ``tell`` go through services, which ask who it is.

    ``read_scope`` opens the list and ``write_scope`` the form of a new row; ``page`` is the
    template, in which the row stands under ``noun``.
    """

    actions = None
    show_add_link = True
    noun: ClassVar[str]
    page: ClassVar[str]
    read_scope: ClassVar[str]
    write_scope: ClassVar[str]
    made: ClassVar[str] = "made"

    @abstractmethod
    def make_form(self, request: HttpRequest, row: Any) -> Any:
        """The form of a row, of a new one for None, with what was sent."""

    @abstractmethod
    def remove(self, principal: Principal, row: Any) -> str:
        """
        Remove a row through its service; what became of it, in words.

        :raises AegisError: if it is refused
        """

    def may_open(self, request: HttpRequest) -> bool:
        """Whether whoever sees the list sees the form of a row of it."""
        return True

    def may_write(self, request: HttpRequest, row: Any) -> bool:
        """Whether whoever asks may change the row, or make one for None."""
        return asking(request).allows(self.write_scope)

    def more(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What else the page shows."""
        return {}

    def address(self, row: Any) -> str:
        """Where a saved row is seen."""
        return reverse(f"admin:{self._named('change')}", args=[row.pk])

    @admin.display(description="Changed", ordering="updated_at")
    def changed_cell(self, row: Any) -> SafeString:
        return marks.clock(row.updated_at, now=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.remove_view))
        return [path("<str:pk>/remove/", view, name=self._named("remove")), *super().get_urls()]

    def remove_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Remove through the service and go back to the list."""
        row = self.find(request, pk)
        try:
            messages.info(request, self.remove(asking(request), row))
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(reverse(f"admin:{self._named('changelist')}"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form of a new row."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._form(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """The same form for who may write it; everybody else reads it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.find(request, object_id)
        if not self.may_open(request):
            raise PermissionDenied
        return self._form(request, row)

    def find(self, request: HttpRequest, pk: int | str) -> Any:
        """The row, as far as whoever asks sees it."""
        try:
            key = self.opts.pk.to_python(pk)
        except ValidationError:
            raise Http404 from None
        found = self.get_queryset(request).filter(pk=key).first()
        if found is None:
            raise Http404
        return found

    def _form(self, request: HttpRequest, row: Any) -> HttpResponse:
        may_write = self.may_write(request, row)
        form = self.make_form(request, row)
        if request.method == "POST" and not may_write:
            raise PermissionDenied
        if request.method == "POST" and form.is_valid():
            try:
                saved = form.save(asking(request))
            except AegisError as error:
                form.tell(error)
            else:
                return self.saved(request, saved, is_new=row is None)
        for field in form.fields.values():
            field.disabled = field.disabled or not may_write
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(row) if row else f"New {self.noun}",
            "form": form,
            self.noun: row,
            "may_write": may_write,
            **self.more(request, row),
        }
        return TemplateResponse(request, self.page, context)

    def saved(self, request: HttpRequest, row: Any, *, is_new: bool) -> HttpResponse:
        """What is shown when a row was made or changed."""
        messages.info(request, f"{row} is {self.made if is_new else 'changed'}.")
        return HttpResponseRedirect(self.address(row))

    def _named(self, what: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{what}"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows(self.read_scope)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return asking(request).allows(self.write_scope)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
