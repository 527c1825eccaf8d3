"""The addresses of topics and of the audit."""

from streaming.api import audit, views
from streaming.api.paths import route

urlpatterns = [
    route("topics", views.Topics, name="topics"),
    route("audit", audit.Audit, name="audit"),
    route("audit/verify", audit.AuditVerify, name="audit-verify"),
    route("audit/export", audit.AuditExport, name="audit-export"),
    route("audit/<str:entry>", audit.OneEntry, name="audit-entry"),
]
