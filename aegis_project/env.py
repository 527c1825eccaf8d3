"""Every setting that Aegis reads from the environment, typed and checked at once."""

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aegis_project import secret_key
from aegis_project.kit import addresses, entries, quotas
from aegis_project.kit.entries import listed

PREFIX = "AEGIS_"
ONE = "one principal at one address"
SO_LONG = "so many days after their session is over; 0 is for ever"
Days = Annotated[int, Field(ge=0, le=36_500)]
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
STRONG, SHORTEST_PASSWORD = 32, 12
CHECKOUT = Path(__file__).resolve().parent.parent
# Read by the SDK, the tests and the bootstrap, not by the server.
FOREIGN = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("URL", "SESSION_TOKEN", "COMPONENT_ID", "SERVER", "TOKEN", "CHROMIUM", "DATA", "CI"),
        *("TEST_DATABASE_URL", "TEST_REDIS_URL"),
    )
)


class Environment(BaseSettings):
    """What the environment may say; names are upper-case with the prefix ``AEGIS_``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    home: Path = Field(
        default=CHECKOUT / ".aegis" / "home",
        description="Folder of the SQLite file, storage and logs.",
    )
    database_url: str = Field(
        default="",
        description="postgresql://user:password@host:port/name?sslmode=…; empty means SQLite.",
    )
    redis_url: str = Field(default="", description="redis://host:port/0; empty means memory.")
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Signing key; made and kept in AEGIS_HOME when empty."
    )
    secret_key_fallbacks: SecretStr = Field(
        default=SecretStr(""),
        description="Former signing keys, comma-separated: what they made is still read.",
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
    a2a_compatibility: bool = Field(
        default=False,
        description="There is the agent `compatibility`, which A2A compatibility kits can drive.",
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
    sockets_per_peer: int = Field(
        default=1000,
        ge=0,
        description="Sockets that one address may have open, this machine's own apart; 0: no limit.",
    )
    sockets_per_principal: int = Field(
        default=200, ge=0, description="Sockets that one user or credential may have; 0: no limit."
    )
    creates_per_minute: int = Field(
        default=600, ge=0, description=f"Sessions that {ONE} may make in a minute; 0 is no limit."
    )
    commands_per_minute: int = Field(
        default=12_000, ge=0, description=f"Commands that {ONE} may give in a minute; 0: no limit."
    )
    publishes_per_minute: int = Field(
        default=12_000,
        ge=0,
        description=f"Requests to publish that {ONE} may send in a minute; 0 is no limit.",
    )
    streams_per_minute: int = Field(
        default=1200, ge=0, description=f"Streams that {ONE} may open in a minute; 0 is no limit."
    )
    logins_per_minute: int = Field(
        default=60,
        ge=0,
        description="Attempts to sign in from one address in a minute; 0 is no limit.",
    )
    quotas: str = Field(
        default="",
        description="What a team may have: open_sessions=100,desk:runs_per_day=50; none is no limit.",
    )
    rates_required: bool = Field(
        default=False,
        description="Refuse with CACHE_ERROR what cannot be counted over all processes.",
    )
    worker: bool = Field(
        default=True, description="Server processes carry out runs too (not with --no-worker)."
    )
    launcher_patience_seconds: float = Field(
        default=60,
        ge=5,  # a launcher is heard every two seconds
        description="Time a program goes on without a launcher.",
    )
    unused_upload_hours: float = Field(
        default=24, gt=0, description="Time after which a file that no message took is removed."
    )
    tape_limit_gb: float = Field(
        default=10, ge=0, description="What tapes may take before Health says so; 0 is no limit."
    )
    slow_statement_ms: float = Field(
        default=500,
        ge=0,
        description="Statements to the database are slow from here on; 0 counts none.",
    )
    keep_sessions_days: Days = Field(default=0, description=f"Sessions are kept {SO_LONG}.")
    keep_events_days: Days = Field(default=0, description=f"Ledgers are kept {SO_LONG}.")
    keep_artifacts_days: Days = Field(default=0, description=f"Artifacts are kept {SO_LONG}.")
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

    @field_validator("quotas")
    @classmethod
    def _well_formed_quotas(cls, value: str) -> str:
        quotas.parse(value)
        return value

    @field_validator("model")
    @classmethod
    def _names_a_provider(cls, value: str) -> str:
        provider, _, model = value.partition(":")
        if value and not (provider and model):
            raise ValueError("must be PROVIDER:MODEL, such as openai:gpt-5")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, value: str) -> str:
        wrong = [one for one in listed(value) if not ORIGIN.fullmatch(one)]
        if wrong:
            raise ValueError(f"{wrong[0]} is no origin, which is https://name or https://name:port")
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
        return secret_key.kept(self.home)

    def former_keys(self) -> list[str]:
        """Secret keys that were in use before, the newest first."""
        return listed(self.secret_key_fallbacks.get_secret_value())

    def origins(self) -> list[str]:
        """Origins whose pages may call the API."""
        return listed(self.cors_origins)

    def open_networks(self) -> tuple[addresses.Network, ...]:
        """Networks that may be reached from here although they are not public."""
        return addresses.networks(listed(self.outward_networks))

    def dataset_paths(self) -> dict[str, Path]:
        """Dataset names and the directories an administrator gave them."""
        return parse_datasets(self.datasets)


def production_faults(environment: Environment) -> list[str]:
    """Why these settings may not serve production; empty when they may."""
    key, password = environment.secret_key, environment.admin_password.get_secret_value()
    plain = [one for one in environment.origins() if not one.startswith("https://")]
    unsafe = {
        "AEGIS_SECRET_KEY must have 32 characters or more in production: "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))'": _is_weak(key),
        "AEGIS_SECRET_KEY_FALLBACKS must have 32 characters or more each in production: "
        "leave weak ones out, after aegis secrets reseal": any(
            len(one) < STRONG for one in environment.former_keys()
        ),
        "AEGIS_HOSTS must not contain a wildcard in production: name the hosts": "*"
        in environment.hosts,
        "AEGIS_OPEN is not for production: leave it out and use credentials": environment.open,
        "AEGIS_ADMIN_PASSWORD must have 12 characters or more in production: "
        "leave it out, and one is made": 0 < len(password) < SHORTEST_PASSWORD,
        "AEGIS_PUBLIC_URL must begin with https:// in production": bool(environment.public_url)
        and not environment.public_url.startswith("https://"),
        "AEGIS_CORS_ORIGINS must begin with https:// in production": bool(plain),
    }
    return [said for said, is_so in unsafe.items() if is_so]


def _is_weak(key: SecretStr) -> bool:
    return len(key.get_secret_value()) < STRONG


def parse_datasets(text: str) -> dict[str, Path]:
    """
    ``name=path,name=path`` as a mapping.

    :raises ValueError: for an entry without a name or a path
    """
    return {name: Path(path) for name, path in entries.pairs(text, of="path")}


def _suggest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name} is not a setting" + (f", did you mean {near[0]}?" if near else "")
