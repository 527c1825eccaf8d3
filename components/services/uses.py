"""When credentials were used last, and over what."""

from datetime import timedelta

from django.utils import timezone

from aegis_project import database
from components.models import Credential

AGAIN_AFTER = timedelta(minutes=1)


def note(found: Credential, *, transport: str) -> None:
    """
    Note when a credential that opened something was used, and over what, at most once a minute.

    Of many who come with it at once, whoever finds the row taken leaves that to the other.
    """
    now = timezone.now()
    if found.last_used_at is not None and now - found.last_used_at <= AGAIN_AFTER:
        return
    with database.atomic():
        rows = Credential.objects.filter(pk=found.pk)
        free = rows.select_for_update(of=("self",), no_key=True, skip_locked=True)
        Credential.objects.filter(pk__in=free.values("pk")).update(
            last_used_at=now, last_used_transport=transport
        )
