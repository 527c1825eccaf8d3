"""Where models are reached: what the environment and the rows of providers say."""

from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import QuerySet

from aegis_project import sealed
from aegis_project.kit.errors import SecretUnreadable
from aegis_project.kit.principal import Principal
from sessions.core import references
from sessions.core.errors import LLMError, ProviderNotFound
from sessions.core.references import Reference
from sessions.models import Provider

ASSISTANT = "assistant"
# What each kind needs before it can be asked, and where that is said.
VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT",
    "anthropic": "ANTHROPIC_API_KEY",
}


@dataclass(frozen=True, slots=True)
class Access:
    """
    What it takes to ask a provider: its kind of interface, address and key.

    An empty ``base_url`` is the provider's own address. The key never stands in its text. An
    address that ``is_guarded`` was entered by somebody and is reached only where that is allowed;
    the others are those of providers and of the environment.
    """

    provider: str
    kind: str
    base_url: str = ""
    api_version: str = ""
    key: str = field(default="", repr=False)
    is_guarded: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether it can be asked; who listens at an address of one's own may want no key."""
        if self.kind == "azure":
            return bool(self.key and self.base_url)
        return bool(self.key or (self.kind == "openai" and self.base_url))

    @property
    def has_known_prices(self) -> bool:
        """Whether the provider's price list holds; at an address of one's own it is not known."""
        return self.kind == "azure" or not self.base_url


def of_environment(kind: str) -> Access:
    """What the environment says of a kind of provider."""
    said = settings.MODEL_KEYS
    base_url = {"openai": said.openai_base_url, "azure": said.azure_openai_endpoint}.get(kind, "")
    key = {
        "openai": said.openai_api_key,
        "azure": said.azure_openai_api_key,
        "anthropic": said.anthropic_api_key,
    }[kind]
    return Access(
        provider=kind,
        kind=kind,
        base_url=base_url,
        api_version=said.azure_openai_api_version if kind == "azure" else "",
        key=key.get_secret_value(),
    )


def access(name: str) -> Access:
    """
    How the provider of this name is asked: the row of that slug, else the kind.

    Without a secret of its own a row takes the environment's key, but only to the address that
    the key is for.

    :raises LLMError: if there is no such provider, or no key for it
    :raises SecretUnreadable: if its key was sealed with another secret key
    """
    found = _find(name)
    if found is None:
        raise LLMError(f"There is no provider {name}.", provider=name)
    if not found.is_complete:
        raise LLMError(f"There is no key for {name}: {needs(found)}.", provider=name)
    return found


def readable(principal: Principal) -> QuerySet[Provider]:
    """
    The providers that agents may name, by slug; their keys stay sealed.

    :raises PermissionDenied: without the scope agents:read
    """
    principal.require("agents:read")
    return Provider.objects.order_by("slug")


def read(principal: Principal, slug: str) -> Provider:
    """
    One provider.

    :raises PermissionDenied: without the scope agents:read
    :raises ProviderNotFound: if there is none
    """
    found = readable(principal).filter(slug=slug).first() if "\x00" not in slug else None
    if found is None:
        raise ProviderNotFound(provider=slug[:100])
    return found


def is_complete(row: Provider) -> bool:
    """Whether a provider can be asked, with a key of its own that can be read or another's."""
    try:
        return _of_row(row).is_complete
    except SecretUnreadable:
        return False


def needs(found: Access) -> str:
    """What is missing before it can be asked, in words."""
    if found.provider in references.KINDS:
        return f"set {VARIABLES[found.kind]}"
    return "give the provider a key" + ("" if found.base_url else " and an address")


def _find(name: str) -> Access | None:
    row = Provider.objects.filter(slug=name).first()
    if row is not None:
        return _of_row(row)
    return of_environment(name) if name in references.KINDS else None


def _of_row(row: Provider) -> Access:
    own = of_environment(row.kind)
    # A key of the environment is shown to nobody but the one whom it opens.
    is_same = row.base_url in {"", own.base_url}
    return Access(
        provider=row.slug,
        kind=row.kind,
        base_url=row.base_url or own.base_url,
        api_version=row.api_version or own.api_version,
        key=sealed.unseal(row.secret) if row.secret else own.key if is_same else "",
        is_guarded=not is_same,
    )


def default() -> Reference:
    """The model that the settings name if it can be asked, else the scripted assistant."""
    if settings.ENVIRONMENT.model:
        named = references.read(settings.ENVIRONMENT.model)
        if named.provider == references.SCRIPTED or _is_complete(named.provider):
            return named
    return Reference(references.SCRIPTED, ASSISTANT)


def _is_complete(name: str) -> bool:
    row = Provider.objects.filter(slug=name).first()
    if row is not None:
        return is_complete(row)
    return name in references.KINDS and of_environment(name).is_complete
