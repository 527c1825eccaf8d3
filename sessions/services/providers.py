"""Changing where models are reached; nobody but an administrator can."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from aegis_project import sealed
from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import catalogue
from sessions.core.catalogue import ProviderDraft
from sessions.core.errors import ProviderAlreadyExists, ProviderNotFound
from sessions.models import Provider
from streaming.services.commands import Trace, command

SCOPE = "providers:write"
FIELDS = tuple(ProviderDraft.__dataclass_fields__)


class Entered(NamedTuple):
    """A provider as it is now; the audit says which fields were given, and not its key."""

    provider: Provider
    fields: tuple[str, ...]

    def audit(self) -> Trace:
        row = self.provider
        detail = {"kind": row.kind, "base_url": row.base_url, "fields": list(self.fields)}
        return Trace(session_id=None, target=row.slug, detail=detail)


@command("provider.create", scope=SCOPE)
def create(*, principal: Principal, draft: ProviderDraft) -> Entered:
    """
    Register a provider, which every team may name in its agents.

    :raises ValidationFailed: for a field that cannot be
    :raises ProviderAlreadyExists: if there is one of this slug
    """
    values = asdict(draft)
    row = Provider()
    _set(row, values)
    given = tuple(name for name, value in values.items() if value)
    return Entered(_save(row), given)


@command("provider.update", scope=SCOPE)
def update(*, principal: Principal, provider: str, changes: Mapping[str, Any]) -> Entered:
    """
    Change fields of a provider; an empty ``secret`` takes its key away.

    :raises ProviderNotFound: if there is none
    :raises ValidationFailed: for a field that is none, a value that cannot be, or another address
        without the key for it
    """
    row = _locked(provider)
    is_elsewhere = changes.get("base_url", row.base_url) != row.base_url
    if is_elsewhere and row.secret and "secret" not in changes:
        raise ValidationFailed("Give the key again with another address.", field="secret")
    _set(row, changes)
    return Entered(_save(row), tuple(changes))


@command("provider.remove", scope=SCOPE)
def remove(*, principal: Principal, provider: str) -> Entered:
    """
    Forget a provider and its key; agents that name it fail until they name another.

    :raises ProviderNotFound: if there is none
    """
    row = _locked(provider)
    removed = Entered(Provider.objects.get(pk=row.pk), ())
    row.delete()
    return removed


def _locked(slug: str) -> Provider:
    rows = Provider.objects.select_for_update(of=("self",), no_key=True)
    row = rows.filter(slug=slug).first() if "\x00" not in slug else None
    if row is None:
        raise ProviderNotFound(provider=slug[:100])
    return row


def _set(row: Provider, values: Mapping[str, Any]) -> None:
    unknown = sorted(values.keys() - set(FIELDS))
    if unknown:
        raise ValidationFailed("A provider has no such fields.", fields=unknown)
    catalogue.check_provider(values)
    for name, value in values.items():
        if name == "secret":
            row.secret = sealed.seal(value) if value else ""
        else:
            setattr(row, name, value)


def _save(row: Provider) -> Provider:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ProviderAlreadyExists(f"A provider {row.slug} exists.", slug=row.slug) from None
    return row
