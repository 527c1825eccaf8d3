"""A ModelViewSet of sessions that writes what Aegis writes: session, log, event, audit entry."""

import hashlib
import json
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import include, path
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet

from components.models import Credential
from sessions.models import Session
from streaming.models import AuditEntry, Event, Log


class Bearer(BaseAuthentication):
    """A token, looked up as TokenAuthentication does it."""

    def authenticate(self, request: Request) -> tuple[Any, Any]:
        secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
        digest = hashlib.sha256(secret.encode()).hexdigest()
        try:
            found = Credential.objects.select_related("team").get(digest=digest, revoked_at=None)
        except Credential.DoesNotExist:
            raise AuthenticationFailed("Invalid token.") from None
        return SimpleNamespace(is_authenticated=True, team=found.team), found


class SessionSerializer(ModelSerializer):  # type: ignore[type-arg]
    """Every column."""

    class Meta:
        model = Session
        fields = "__all__"
        read_only_fields = ("key", "team", "owner", "parent", "state")


class Pages(CursorPagination):
    """The newest first, and no count of all."""

    page_size = 20
    page_size_query_param = "limit"
    ordering = "-created_at"


class Sessions(ModelViewSet):  # type: ignore[type-arg]
    """Sessions."""

    queryset = Session.objects.filter(deleted_at=None)
    serializer_class = SessionSerializer
    pagination_class = Pages
    authentication_classes = [Bearer]

    def perform_create(self, serializer: Any) -> None:
        team: Group = self.request.user.team  # type: ignore[union-attr]
        with transaction.atomic():
            row = serializer.save(key=str(uuid4()), team=team)
            log = Log.objects.create(
                session=row, name="ledger", epoch=uuid4().hex[:16], ck="0" * 16, head=1
            )
            told = {"key": row.key, "name": row.name, "at": str(timezone.now())}
            Event.objects.create(
                log=log,
                seq=1,
                ck="0" * 16,
                ts=timezone.now(),
                type="session.created",
                actor="credential:drf",
                body=json.dumps(told),
            )
            AuditEntry.objects.create(
                command="session.create",
                actor="credential:drf",
                principal_id="drf",
                transport="rest",
                session=row,
                target=str(row.pk),
                outcome="ok",
            )


router = SimpleRouter(trailing_slash=False)
router.register("sessions", Sessions)
urlpatterns = [path("api/v1/", include(router.urls))]
