"""What Django is told of the database that AEGIS_DATABASE_URL names."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

# A connection that cannot be made is given up after a second and asked for anew by who needs one.
# Left alone, the pool doubles its pauses, and goes on pausing long after PostgreSQL is back.
POOL = {"min_size": 1, "max_size": 16, "timeout": 20, "reconnect_timeout": 1.0}

# Options of the URL that libpq takes as they are.
TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")


def tls_of(url: str) -> dict[str, str]:
    """What a ``postgresql://`` URL says of TLS, under the names of libpq."""
    said = dict(parse_qsl(urlsplit(url).query))
    return {name: said[name] for name in TLS if name in said}


def database(url: str, home: Path) -> dict[str, object]:
    """Django's database entry for a ``postgresql://`` or ``sqlite://`` URL, or for none."""
    parts = urlsplit(url)
    if parts.scheme.startswith("postgres"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": parts.port or "",
            # Persistent connections leak under ASGI; the pool of psycopg does not.
            "CONN_MAX_AGE": 0,
            "OPTIONS": {"pool": POOL, **tls_of(url)},
        }
    home.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(parts.path) if parts.path else home.resolve() / "aegis.sqlite3"),
        "TEST": {"NAME": str(home.resolve() / "test.sqlite3")},
        # Opening one reads the schema again. Threads of requests are kept, and so are these.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # All of what is asked often stays prepared.
            "cached_statements": 512,
            # A deferred transaction that reads and then writes fails at once when another wrote.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            ),
        },
    }
