"""Every setting that Aegis reads from the environment, typed and checked at once."""

import contextlib
import difflib
import os
import secrets
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aegis_project.kit import addresses

PREFIX = "AEGIS_"
CHECKOUT = Path(__file__).resolve().parent.parent
# Read by the SDK, the tests and the bootstrap, not by the server.
FOREIGN = frozenset(
    {
        "AEGIS_URL",
        "AEGIS_SESSION_TOKEN",
        "AEGIS_COMPONENT_ID",
        "AEGIS_SERVER",
        "AEGIS_TOKEN",
        "AEGIS_TEST_DATABASE_URL",
        "AEGIS_TEST_REDIS_URL",
        "AEGIS_CHROMIUM",
        "AEGIS_DATA",
        "AEGIS_CI",
    }
)


class Environment(BaseSettings):
    """What the environment may say; names are upper-case with the prefix ``AEGIS_``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    home: Path = Field(
        default=CHECKOUT / ".aegis" / "home",
        description="Folder of the SQLite file, storage and logs.",
    )
    database_url: str = Field(
        default="", description="postgresql://user:password@host:port/name; empty means SQLite."
    )
    redis_url: str = Field(default="", description="redis://host:port/0; empty means memory.")
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Signing key; made and kept in AEGIS_HOME when empty."
    )
    admin_password: SecretStr = Field(
        default=SecretStr(""), description="Password of the first administrator."
    )
    profile: Literal["development", "production"] = Field(
        default="development", description="How strict the start checks are."
    )
    hosts: str = Field(
        default="localhost,127.0.0.1,[::1]", description="Host names served, comma-separated."
    )
    open: bool = Field(
        default=False, description="Loopback requests act as the demo operator (--open)."
    )
    public_url: str = Field(
        default="", description="Address that clients use, when it differs from the bound one."
    )
    datasets: str = Field(
        default="", description="Exchange files that sessions may replay: name=path,name=path."
    )
    cors_origins: str = Field(default="", description="Origins that may call the API, or none.")
    agents_prefix: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)?$",
        description="Where /sessions and /agents of the agent protocol are; empty is the root.",
    )
    session_idle_minutes: int = Field(
        default=0, ge=0, le=100_000, description="Idle minutes until a session ends; 0 is never."
    )
    outward_hosts: str = Field(
        default="",
        description="Hosts that agents may fetch from: names, *.example.com, or * for all.",
    )
    outward_networks: str = Field(
        default="",
        description="Private networks that webhooks and agents may reach: 10.1.0.0/16,…",
    )
    model: str = Field(
        default="",
        description="PROVIDER:MODEL of agents that name none; without its key a script answers.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level that is logged."
    )
    admin_publish: bool | None = Field(
        default=None,
        description="People may publish records in the admin; unset means: not in production.",
    )
    heartbeat_seconds: float = Field(default=5, gt=0, description="Interval of heartbeats.")
    lost_seconds: float = Field(default=15, gt=0, description="Silence after which one is lost.")
    grace_seconds: float = Field(default=30, gt=0, description="Time a lost one has to come back.")
    start_seconds: float = Field(default=30, gt=0, description="Time a start waits for READY.")
    control_frames_per_second: float = Field(
        default=50, ge=0, description="Frames that a control socket may send; 0 is no limit."
    )
    data_frames_per_second: float = Field(
        default=10_000, ge=0, description="Frames that a data socket may send; 0 is no limit."
    )
    creates_per_minute: int = Field(
        default=300,
        ge=0,
        description="Agent sessions that one client may make in a minute; 0 is no limit.",
    )
    worker: bool = Field(
        default=True, description="Server processes carry out runs too (not with --no-worker)."
    )
    launcher_patience_seconds: float = Field(
        default=60, gt=0, description="Time a program goes on without a launcher."
    )
    unused_upload_hours: float = Field(
        default=24, gt=0, description="Time after which a file that no message took is removed."
    )
    settling_seconds: float = Field(
        default=45, ge=0, description="Time after its start in which a server judges nobody lost."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://", "sqlite://")):
            raise ValueError("must begin with postgresql:// or sqlite://")
        return value

    @field_validator("datasets")
    @classmethod
    def _well_formed_datasets(cls, value: str) -> str:
        parse_datasets(value)
        return value

    @field_validator("model")
    @classmethod
    def _names_a_provider(cls, value: str) -> str:
        provider, _, model = value.partition(":")
        if value and not (provider and model):
            raise ValueError("must be PROVIDER:MODEL, such as openai:gpt-5")
        return value

    @field_validator("outward_networks")
    @classmethod
    def _well_formed_networks(cls, value: str) -> str:
        addresses.networks(listed(value))
        return value

    @model_validator(mode="after")
    def _nothing_unknown(self) -> Self:
        known = {f"{PREFIX}{name.upper()}" for name in type(self).model_fields} | FOREIGN
        unknown = [n for n in os.environ if n.startswith(PREFIX) and n not in known]
        if unknown:
            raise ValueError("; ".join(_suggest(name, known) for name in sorted(unknown)))
        return self

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.profile == "production":
            faults = production_faults(self)
            if faults:
                raise ValueError("; ".join(faults))
        return self

    @property
    def may_publish_by_hand(self) -> bool:
        """Whether people may publish records in the admin; in production only when it says so."""
        return self.profile != "production" if self.admin_publish is None else self.admin_publish

    def signing_key(self) -> str:
        """The secret key: the one given, else one made once and kept in ``AEGIS_HOME``."""
        given = self.secret_key.get_secret_value()
        if given:
            return given
        path = self.home / "secret_key"
        if not path.exists():
            self._make_key(path)
        return path.read_text().strip()

    def _make_key(self, path: Path) -> None:
        # Linked when it is whole: of several processes that start together, one makes the key.
        self.home.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(draft, "w", opener=_private) as file:
            file.write(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()

    def open_networks(self) -> tuple[addresses.Network, ...]:
        """Networks that may be reached from here although they are not public."""
        return addresses.networks(listed(self.outward_networks))

    def dataset_paths(self) -> dict[str, Path]:
        """Dataset names and the directories an administrator gave them."""
        return parse_datasets(self.datasets)


class ModelKeys(BaseSettings):
    """What opens the providers of models, under the names that their own libraries read."""

    model_config = SettingsConfigDict(extra="ignore")

    openai_api_key: SecretStr = Field(default=SecretStr(""), description="Key of OpenAI.")
    openai_base_url: str = Field(default="", description="Address that speaks OpenAI's interface.")
    azure_openai_api_key: SecretStr = Field(
        default=SecretStr(""), description="Key of Azure OpenAI."
    )
    azure_openai_endpoint: str = Field(default="", description="https://NAME.openai.azure.com.")
    azure_openai_api_version: str = Field(
        default="2024-10-21", description="Version of Azure's interface."
    )
    anthropic_api_key: SecretStr = Field(default=SecretStr(""), description="Key of Anthropic.")


def production_faults(environment: Environment) -> list[str]:
    """Why these settings may not serve production; empty when they may."""
    faults = []
    if len(environment.secret_key.get_secret_value()) < 32:
        faults.append("AEGIS_SECRET_KEY must have 32 characters or more in production")
    if "*" in environment.hosts:
        faults.append("AEGIS_HOSTS must not contain a wildcard in production")
    if environment.open:
        faults.append("AEGIS_OPEN is not for production")
    return faults


def listed(text: str) -> list[str]:
    """``one,two`` as a list; blanks and empty entries are left out."""
    return [entry for part in text.split(",") if (entry := part.strip())]


def parse_datasets(text: str) -> dict[str, Path]:
    """
    ``name=path,name=path`` as a mapping.

    :raises ValueError: for an entry without a name or a path
    """
    found: dict[str, Path] = {}
    for entry in listed(text):
        name, sign, path = entry.partition("=")
        if not sign or not name or not path:
            raise ValueError(f"{entry!r} is not name=path")
        found[name] = Path(path)
    return found


def _suggest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name} is not a setting" + (f", did you mean {near[0]}?" if near else "")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
