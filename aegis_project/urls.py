"""Every HTTP path, by app."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from aegis_project import metrics, ops, pages
from components.api import urls as components
from sessions.admin import budgets, health, palette, playground
from sessions.api import chat_urls as chat
from sessions.api import gate_urls as gate
from sessions.api import library_urls as library
from sessions.api import run_urls as runs
from sessions.api import tool_urls as tools
from sessions.api import urls as sessions
from sessions.dialects import a2a_urls, agent_session_urls, task_urls
from sessions.dialects.bus.views import Bus
from sessions.dialects.daemon import Commands
from streaming.api import urls as streaming
from streaming.api.paths import route

HOME = "admin:index"

admin.autodiscover()

PREFIX = settings.ENVIRONMENT.agents_prefix

canonical = [
    *sessions.urlpatterns,
    *agent_session_urls.urlpatterns,
    *chat.urlpatterns,
    *gate.urlpatterns,
    *library.urlpatterns,
    *runs.urlpatterns,
    *tools.urlpatterns,
    *components.urlpatterns,
    *streaming.urlpatterns,
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name=HOME)),
    path("api/v1/", include(canonical)),
    route("api/schema", SpectacularAPIView, name="schema"),
    route("api/docs", SpectacularSwaggerSplitView, name="docs"),
    route("aegis/commands", Commands, name="commands"),
    route("bus/<str:daemon>", Bus, name="bus"),
    path(f"{PREFIX}/" if PREFIX else "", include(task_urls.urlpatterns)),
    path("", include(a2a_urls.urlpatterns)),
    path("healthz", ops.healthz, name="healthz"),
    path("readyz", ops.readyz, name="readyz"),
    route("metrics", metrics.Metrics, name="metrics"),
    path("admin/login/", pages.sign_in),
    path("admin/health/", admin.site.admin_view(health.page), name="health"),
    path("admin/health/act/", admin.site.admin_view(health.act), name="health_act"),
    path("admin/budgets/", admin.site.admin_view(budgets.page), name="budgets"),
    path("admin/budgets/act/", admin.site.admin_view(budgets.act), name="budgets_act"),
    path("admin/playground/", admin.site.admin_view(playground.page), name="playground"),
    path(
        "admin/playground/token/",
        admin.site.admin_view(playground.token),
        name="playground_token",
    ),
    path("admin/palette/", admin.site.admin_view(palette.show), name="palette"),
    path("admin/", admin.site.urls),
]

handler400 = "aegis_project.rest.malformed"
handler404 = "aegis_project.rest.missing"
handler500 = "aegis_project.rest.failed"
