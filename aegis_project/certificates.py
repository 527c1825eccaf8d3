"""Whether the certificates that this installation relies upon hold, and for how long."""

import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from django.conf import settings
from django.db import connection
from django.utils import timezone

from aegis_project.health import Finding, State, check

ENDS_SOON = timedelta(days=14)
PATIENCE_SECONDS = 3.0
RENEW = "Renew it, put the new one in its place and start the servers anew."
# Of the options of a URL, or of what libpq reads: whom it trusts, and who it says it is.
AUTHORITIES = ("sslrootcert", "ssl_ca_certs")
OWN = ("sslcert", "ssl_certfile")
# What libpq takes for "those of this machine".
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class File:
    """A file of certificates: one of its own, or authorities of which any may be the one."""

    what: str
    place: Path
    is_own: bool


@check
def certificates() -> Iterator[Finding]:
    """Whether none has expired or does soon, and the public address shows one that is trusted."""
    found = [_of_file(one) for one in files()]
    url = urlsplit(settings.ENVIRONMENT.public_url)
    if url.scheme == "https" and url.hostname:
        found.append(_of_address(url.hostname, url.port or 443))
    odd = [one for one in found if one.state is not State.OK]
    if not found:
        yield Finding("certificates", State.OK, "No certificates are in use here.")
    elif not odd:
        said = " ".join(one.said for one in found)
        yield Finding("certificates", State.OK, said)
    yield from odd


def files() -> Iterator[File]:
    """The files that the settings name for the connections to the database and to Valkey."""
    if connection.vendor == "postgresql":
        options = connection.settings_dict.get("OPTIONS", {})
        for name in (*AUTHORITIES[:1], *OWN[:1]):
            # What is not set there, libpq reads from the environment.
            said = options.get(name) or os.environ.get(f"PG{name.upper()}", "")
            if said and said != SYSTEM:
                yield File(f"{name} of the database", Path(said), name in OWN)
    url = urlsplit(settings.ENVIRONMENT.redis_url)
    if url.scheme == "rediss":
        for name, said in parse_qsl(url.query):
            if name in (*AUTHORITIES, *OWN):
                yield File(f"{name} of Valkey", Path(said), name in OWN)


def _of_file(file: File) -> Finding:
    what = f"{file.what} ({file.place.name})"
    try:
        found = x509.load_pem_x509_certificates(file.place.read_bytes())
    except (OSError, ValueError):
        fix = "Correct the name in the settings, or put a file in PEM there."
        return Finding("certificates", State.ERROR, f"{what} has no certificate to read.", fix)
    # Any of a chain of its own must hold; of authorities, one.
    ends = [one.not_valid_after_utc for one in found]
    begins = [one.not_valid_before_utc for one in found]
    pick, other = (min, max) if file.is_own else (max, min)
    return _judged(what, begins=other(begins), ends=pick(ends))


def _of_address(host: str, port: int) -> Finding:
    what = f"The certificate of {host}"
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            shown = wrapped.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        said = f"{what} is not trusted: {error.verify_message}."
        fix = "Renew it where TLS ends, with its whole chain; a private authority: SSL_CERT_FILE."
        return Finding("certificates", State.ERROR, said, fix)
    except OSError as error:
        said = f"{what} could not be asked for: {type(error).__name__}."
        fix = f"Look at it from elsewhere: openssl s_client -connect {host}:{port}"
        return Finding("certificates", State.UNKNOWN, said, fix)
    begins, ends = (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown[name])), UTC)
        for name in ("notBefore", "notAfter")
    )
    return _judged(what, begins=begins, ends=ends)


def _judged(what: str, *, begins: datetime, ends: datetime) -> Finding:
    now = timezone.now()
    if ends <= now:
        said = f"{what} expired on {ends:%Y-%m-%d}."
        return Finding("certificates", State.ERROR, said, RENEW)
    if begins > now:
        said = f"{what} holds from {begins:%Y-%m-%d} on only."
        return Finding("certificates", State.ERROR, said, "Look at the clock of this machine.")
    said = f"{what} expires on {ends:%Y-%m-%d}."
    if ends - now <= ENDS_SOON:
        return Finding("certificates", State.WARNING, said, RENEW)
    return Finding("certificates", State.OK, said)
