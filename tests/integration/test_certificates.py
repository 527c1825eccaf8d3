"""The certificates that an installation relies upon, with real ones of authorities made here."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from aegis_project import certificates, health
from aegis_project.database_url import database
from aegis_project.health import Finding, State
from sessions import checks  # noqa: F401 -- it registers its checks
from tests import stores

pytestmark = pytest.mark.django_db


def made(folder: Path, *, days: int = 90, begins: int = -1, name: str = "one") -> tuple[Path, Path]:
    """A certificate that says itself who it is, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    who = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    found = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=min(begins, days - 1)))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(who), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place, secret = folder / f"{name}.pem", folder / f"{name}.key"
    place.write_bytes(found.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return place, secret


@pytest.fixture
def said(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make the environment say something else."""
    for name in ("PGSSLROOTCERT", "PGSSLCERT", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)

    def say(**changes: Any) -> None:
        changed = {"home": tmp_path, "redis_url": "", "public_url": "", **changes}
        settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=changed)

    say()
    return say


@pytest.fixture
def serve() -> Iterator[Any]:
    """Show certificates on ports of this machine, each to whoever comes."""
    open_ones: list[socket.socket] = []

    def begin(place: Path, secret: Path) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place, secret)
        door = socket.create_server(("127.0.0.1", 0))
        open_ones.append(door)
        threading.Thread(target=greet, args=(door, context), daemon=True).start()
        return int(door.getsockname()[1])

    yield begin
    for door in open_ones:
        door.shutdown(socket.SHUT_RDWR)
        door.close()


def greet(door: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = door.accept()
        except OSError:
            return
        with plain:
            try:
                context.wrap_socket(plain, server_side=True).close()
            except OSError:
                continue


def found() -> list[Finding]:
    return health.examine(["certificates"])


def test_without_any_there_is_nothing_to_tell(said: Any):
    said(public_url="http://127.0.0.1:8000", redis_url="redis://127.0.0.1:1/0")

    [one] = found()

    assert (one.state, one.said) == (State.OK, "No certificates are in use here.")


@pytest.mark.parametrize(
    ("days", "begins", "state", "told"),
    [
        (90, -1, State.OK, "expires on"),
        (13, -1, State.WARNING, "expires on"),
        (-1, -9, State.ERROR, "expired on"),
        (90, 2, State.ERROR, "holds from"),
    ],
)
def test_file_that_is_named_for_valkey_is_judged_by_its_days(
    said: Any, tmp_path: Path, days: int, begins: int, state: State, told: str
):
    place, secret = made(tmp_path, days=days, begins=begins)
    said(redis_url=f"rediss://127.0.0.1:1/0?ssl_certfile={place}&ssl_keyfile={secret}")

    [one] = found()

    assert one.state is state
    assert f"ssl_certfile of Valkey (one.pem) {told}" in one.said
    assert one.fix or state is State.OK


def test_of_authorities_one_has_to_hold(said: Any, tmp_path: Path):
    old, _ = made(tmp_path, days=-3, name="old")
    new, _ = made(tmp_path, days=90, name="new")
    both = tmp_path / "both.pem"
    both.write_bytes(old.read_bytes() + new.read_bytes())
    states = []
    for place in (both, old):
        said(redis_url=f"rediss://127.0.0.1:1/0?ssl_ca_certs={place}")
        states.append([one.state for one in found()])

    assert states == [[State.OK], [State.ERROR]]


def test_file_that_is_not_there_or_holds_none_is_told(said: Any, tmp_path: Path):
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("empty.pem", "gone.pem"):
        said(redis_url=f"rediss://127.0.0.1:1/0?ssl_ca_certs={tmp_path / name}")

        [one] = found()

        assert one.state is State.ERROR
        assert f"({name}) has no certificate to read." in one.said


def test_files_of_the_database_are_those_of_its_url_or_of_libpq(
    said: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "vendor", "postgresql")
    url = f"postgresql://a@h/n?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem&application_name=x"
    options = database(url, tmp_path)["OPTIONS"]
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    monkeypatch.setenv("PGSSLCERT", f"{tmp_path}/me.pem")

    assert [(one.what, one.place.name, one.is_own) for one in certificates.files()] == [
        ("sslrootcert of the database", "ca.pem", False),
        ("sslcert of the database", "me.pem", True),
    ]
    assert isinstance(options, dict)
    assert set(options) == {"pool", "sslmode", "sslrootcert"}


# The public address


def test_public_address_with_a_trusted_certificate_is_well_and_ends_some_day(
    said: Any, serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told = {}
    for days in (90, 9):
        place, secret = made(tmp_path, days=days)
        monkeypatch.setenv("SSL_CERT_FILE", str(place))
        said(public_url=f"https://localhost:{serve(place, secret)}")
        [one] = found()
        told[days] = (one.state, one.said[:42])

    assert told[90] == (State.OK, "The certificate of localhost expires on 20")
    assert told[9][0] is State.WARNING


def test_public_address_whose_certificate_expired_or_is_not_trusted_is_an_error_and_clears(
    said: Any, serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old, fresh = made(tmp_path, days=-1, begins=-9, name="old"), made(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(old[0]))
    said(public_url=f"https://localhost:{serve(*old)}")
    [expired] = found()
    said(public_url=f"https://localhost:{serve(*fresh)}")
    [strange] = found()
    monkeypatch.setenv("SSL_CERT_FILE", str(fresh[0]))
    [well] = found()

    assert "certificate has expired" in expired.said
    assert (expired.state, strange.state, well.state) == (State.ERROR, State.ERROR, State.OK)
    assert "The certificate of localhost is not trusted: self" in strange.said


def test_public_address_that_does_not_answer_is_unknown(said: Any):
    said(public_url=f"https://localhost:{stores.free_port()}")

    [one] = found()

    assert (one.state, one.said) == (
        State.UNKNOWN,
        "The certificate of localhost could not be asked for: ConnectionRefusedError.",
    )
