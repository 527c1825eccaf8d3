"""The tool servers: how each is reached, which tools it has, and whether it answers."""

import asyncio
import shlex
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from aegis_project import marks
from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.lists import Empty
from components.admin.asking import asking
from sessions.admin.serviced import ServicedAdmin
from sessions.core.tool_servers import ToolServerDraft
from sessions.models import ToolServer
from sessions.selectors import tool_servers as reading
from sessions.services import tool_servers
from sessions.toolbox import servers

LONGEST = 100_000
PLAIN = {"spellcheck": "false"}


class ToolServerForm(forms.Form):
    """A new tool server, or one that there is; its secret goes in and never comes out."""

    slug = forms.CharField(
        max_length=50,
        widget=UnfoldAdminTextInputWidget(attrs=PLAIN),
        help_text="Agents name its tools mcp.SLUG.NAME.",
    )
    url = forms.CharField(
        label="Address",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs=PLAIN),
        help_text="Such as https://example.com/mcp; a server has this or a command.",
    )
    command = forms.CharField(
        required=False,
        max_length=LONGEST,
        widget=UnfoldAdminTextInputWidget(attrs=PLAIN),
        help_text="Words as in a shell; workers start it. Only who may write programs says it.",
    )
    secret = forms.CharField(
        required=False,
        max_length=LONGEST,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    is_active = forms.BooleanField(
        label="In use", required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, data: Any, *, server: ToolServer | None) -> None:
        super().__init__(data, initial=_said(server) if server else None)
        self.server = server
        says = (
            'A JSON object of texts, such as {"Authorization": "Bearer …"}. Nobody sees it again.'
        )
        self.fields["secret"].help_text = says
        if server is not None and server.secret:
            self.fields["secret"].help_text = "There is one. Leave it empty to keep it."
            self.fields["forget"] = forms.BooleanField(
                label="Forget the secret", required=False, widget=UnfoldBooleanSwitchWidget
            )

    def clean_command(self) -> list[str]:
        try:
            return shlex.split(self.cleaned_data["command"])
        except ValueError as error:
            raise forms.ValidationError(f"{error}.") from None

    def clean_secret(self) -> dict[str, str]:
        said = self.cleaned_data["secret"].strip()
        try:
            found = strict.decode(said, max_bytes=4 * LONGEST) if said else {}
        except AegisError:
            # What was said is not repeated.
            found = None
        if isinstance(found, dict) and all(isinstance(one, str) for one in found.values()):
            return found
        raise forms.ValidationError("It is a JSON object of texts.")

    def save(self, principal: Principal) -> ToolServer:
        """
        Through the service.

        :raises AegisError: when it refuses
        """
        values = dict(self.cleaned_data)
        forget = values.pop("forget", False)
        if self.server is None:
            draft = ToolServerDraft(**values)
            return tool_servers.create(principal=principal, draft=draft).tool_server
        if not values["secret"] and not forget:
            del values["secret"]
        slug = self.server.slug
        changed = tool_servers.update(principal=principal, tool_server=slug, changes=values)
        return changed.tool_server

    def tell(self, error: AegisError) -> None:
        """Show a refusal beside the field that it names."""
        field = error.details.get("field")
        self.add_error(field if field in self.fields else None, error.message)


def _said(row: ToolServer) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in ("slug", "url", "is_active")}
    return said | {"command": shlex.join(row.command)}


@admin.register(ToolServer)
class ToolServerAdmin(ServicedAdmin):
    """Tool servers are registered, changed, tried and removed by services."""

    list_display = (
        "slug_cell",
        "reached_cell",
        "tools_cell",
        "secret_cell",
        "state_cell",
        "made_cell",
    )
    list_filter = ("is_active",)
    search_fields = ("slug", "url")
    search_help_text = "Slug or address"
    empty = Empty(
        "No tool server yet",
        "A tool server offers its tools to agents over MCP. Each of its calls goes through the policies.",
        "./aegis tool-server create search --url https://tools.example/mcp",
    )
    ordering = ("slug",)
    noun, page, made = "server", "admin/aegis/tool_server.html", "registered"
    read_scope, write_scope = "tool_servers:read", tool_servers.SCOPE

    def get_queryset(self, request: HttpRequest) -> QuerySet[ToolServer]:
        principal = asking(request)
        allowed = principal.allows(self.read_scope)
        return reading.readable(principal) if allowed else ToolServer.objects.none()

    @admin.display(description="Server", ordering="slug")
    def slug_cell(self, row: ToolServer) -> SafeString:
        return format_html('<span class="ae-name">{}</span>', row.slug)

    @admin.display(description="Reached at")
    def reached_cell(self, row: ToolServer) -> SafeString:
        reached = row.url or shlex.join(row.command[:1])
        return format_html('<span class="ae-mono ae-break">{}</span>', reached)

    @admin.display(description="Tools")
    def tools_cell(self, row: ToolServer) -> SafeString:
        count = len(servers.last_known(row.slug))
        return format_html("{}", count) if count else marks.none("not known here")

    @admin.display(description="Secret")
    def secret_cell(self, row: ToolServer) -> SafeString:
        return format_html("{}", "sealed") if row.secret else marks.none()

    @admin.display(description="In use", ordering="is_active")
    def state_cell(self, row: ToolServer) -> SafeString:
        return format_html("{}", "yes") if row.is_active else marks.none("no")

    @admin.display(description="Made", ordering="created_at")
    def made_cell(self, row: ToolServer) -> SafeString:
        return marks.clock(row.created_at, now=timezone.now())

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown: HttpResponse = super().changelist_view(
            request, {"title": "Tool servers", **(extra_context or {})}
        )
        return shown

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        own = path("<str:pk>/test/", test, name="aegis_sessions_toolserver_test")
        return [own, *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Ask the server which tools it has; nothing of it is used by that."""
        row = self.find(request, pk)
        if not self.may_write(request, row):
            raise PermissionDenied
        try:
            found = asyncio.run(servers.asked(row))
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        else:
            names = ", ".join(spec.name for spec in found) or "none"
            messages.info(request, f"It answered. Its tools: {names}.")
        return HttpResponseRedirect(self.address(row))

    def make_form(self, request: HttpRequest, row: ToolServer | None) -> ToolServerForm:
        return ToolServerForm(request.POST or None, server=row)

    def remove(self, principal: Principal, row: ToolServer) -> str:
        tool_servers.remove(principal=principal, tool_server=row.slug)
        return f"{row} is removed, and its secret is forgotten."

    def more(self, request: HttpRequest, row: ToolServer | None) -> dict[str, Any]:
        """Which tools it had when this process asked it last."""
        return {"tools": servers.last_known(row.slug)} if row else {"title": "New tool server"}
