"""What leaves the server goes where it was allowed to, and nowhere else."""

import datetime
import gzip
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

from aegis_project import outward
from aegis_project.kit import addresses
from aegis_project.kit.errors import AddressRefused, PayloadTooLarge, Unreachable
from aegis_project.outward import Bounds
from tests.outside import Outside, Reply, outside

LOOPBACK = addresses.networks(["127.0.0.0/8", "::1"])
HERE = Bounds(hosts=("*",), networks=LOOPBACK, redirects=3)


@pytest.fixture
def place() -> Iterator[Outside]:
    with outside() as found:
        yield found


class Names:
    """A resolver whose names are told; it counts how often it was asked."""

    def __init__(self, **names: list[str]) -> None:
        self.names, self.asked = names, 0
        self.real = socket.getaddrinfo

    def __call__(self, host, port, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in self.names:
            return self.real(host, port, *args, **kwargs)
        self.asked += 1
        return [row for one in self.names[name] for row in self.real(one, port, *args, **kwargs)]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch):
    def use(**names: list[str]) -> Names:
        made = Names(**names)
        monkeypatch.setattr(socket, "getaddrinfo", made)
        return made

    return use


async def test_an_answer_comes_whole(place: Outside):
    place.replies["/there"] = Reply(201, b"made", {"X-Kind": "test"})

    answer = await outward.request(
        "POST", place.url("/there?q=1"), bounds=HERE, headers={"X-Sent": "1"}, content=b"body"
    )

    assert (answer.status, answer.body, answer.headers["x-kind"]) == (201, b"made", "test")
    assert [(v.method, v.path, v.body) for v in place.visits] == [("POST", "/there?q=1", b"body")]
    assert place.visits[0].headers["x-sent"] == "1"
    assert place.visits[0].headers["user-agent"] == "aegis"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"],  # noqa: S104 -- nothing is bound
)
async def test_nothing_private_is_reached_in_whatever_spelling(place: Outside, host: str):
    with pytest.raises(AddressRefused):
        await outward.request("GET", place.url(host=host), bounds=Bounds(hosts=("*",)))

    assert place.visits == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//example.com/",
        "http://",
        "nothing",
        "http://user:secret@127.0.0.1/",
        "http://exa mple.com:port/",
    ],
)
async def test_what_is_no_plain_address_of_the_web_is_refused(url: str):
    with pytest.raises(AddressRefused):
        await outward.request("GET", url, bounds=HERE)


async def test_only_the_hosts_of_the_list_are_reached(place: Outside):
    bounds = Bounds(hosts=("api.example.com",), networks=LOOPBACK)

    with pytest.raises(AddressRefused) as refused:
        await outward.request("GET", place.url(), bounds=bounds)

    assert refused.value.details == {"host": "127.0.0.1"}
    assert place.visits == []


async def test_a_name_is_resolved_once_and_its_address_is_the_one_reached(place: Outside, resolve):
    names = resolve(**{"feed.example": ["127.0.0.1"]})

    answer = await outward.request("GET", place.url(host="feed.example"), bounds=HERE)

    assert answer.status == 200
    assert names.asked == 1
    assert place.visits[0].headers["host"] == f"feed.example:{place.port}"


async def test_one_private_address_among_public_ones_refuses_the_name(place: Outside, resolve):
    resolve(**{"mixed.example": ["93.184.216.34", "127.0.0.1"]})

    with pytest.raises(AddressRefused):
        await outward.request("GET", place.url(host="mixed.example"), bounds=Bounds(hosts=("*",)))


async def test_an_address_that_does_not_answer_gives_way_to_the_next(place: Outside, resolve):
    resolve(**{"two.example": ["::1", "127.0.0.1"]})

    answer = await outward.request("GET", place.url(host="two.example"), bounds=HERE)

    assert answer.body == b"ok"


async def test_a_redirect_is_followed_as_carefully_as_the_first_address(place: Outside):
    place.replies["/away"] = Reply(302, headers={"Location": "http://169.254.169.254/latest/"})
    place.replies["/file"] = Reply(302, headers={"Location": "file:///etc/passwd"})

    for path in ("/away", "/file"):
        with pytest.raises(AddressRefused):
            await outward.request("GET", place.url(path), bounds=HERE)


async def test_a_redirect_within_a_host_keeps_the_headers_and_one_to_another_does_not(
    place: Outside,
):
    place.replies["/here"] = Reply(302, headers={"Location": "/there"})
    place.replies["/there"] = Reply(307, headers={"Location": place.url("/", "localhost")})

    answer = await outward.request(
        "GET", place.url("/here"), bounds=HERE, headers={"X-Api-Key": "secret"}
    )

    sent = [(visit.path, "x-api-key" in visit.headers) for visit in place.visits]
    assert sent == [("/here", True), ("/there", True), ("/", False)]
    assert answer.url == place.url("/", "localhost")


async def test_redirects_end(place: Outside):
    place.replies["/round"] = Reply(302, headers={"Location": "/round"})

    with pytest.raises(Unreachable, match="too many redirects"):
        await outward.request("GET", place.url("/round"), bounds=HERE)

    assert len(place.visits) == 4


async def test_what_changes_things_is_never_sent_on(place: Outside):
    place.replies["/"] = Reply(307, headers={"Location": "/elsewhere"})

    answer = await outward.request("POST", place.url(), bounds=HERE, content=b"pay")

    assert answer.status == 307
    assert len(place.visits) == 1


async def test_a_long_answer_is_cut_off(place: Outside):
    place.replies["/"] = Reply(body=b"x" * 200_000)
    bounds = Bounds(hosts=("*",), networks=LOOPBACK, max_bytes=100_000)

    with pytest.raises(PayloadTooLarge):
        await outward.request("GET", place.url(), bounds=bounds)


async def test_a_compressed_answer_is_not_unpacked(place: Outside):
    bomb = gzip.compress(b"0" * 10_000_000)
    place.replies["/"] = Reply(body=bomb, headers={"Content-Encoding": "gzip"})

    with pytest.raises(Unreachable, match="compressed"):
        await outward.request("GET", place.url(), bounds=HERE)

    assert place.visits[0].headers["accept-encoding"] == "identity"


async def test_an_answer_has_to_come_in_time(place: Outside):
    place.replies["/"] = Reply(hold=threading.Event())
    bounds = Bounds(hosts=("*",), networks=LOOPBACK, total_seconds=0.2)

    with pytest.raises(Unreachable) as late:
        await outward.request("GET", place.url("/?key=secret"), bounds=bounds)

    assert late.value.details == {"url": place.url()}


async def test_who_does_not_listen_is_not_reached(place: Outside):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="No connection"):
            await outward.request("GET", f"http://127.0.0.1:{taken.getsockname()[1]}/", bounds=HERE)


async def test_a_name_that_nobody_knows_is_not_reached():
    with pytest.raises(Unreachable, match="not known"):
        await outward.request("GET", "http://nobody.invalid/", bounds=HERE)


async def test_proxies_and_credentials_of_the_machine_are_not_used(
    place: Outside, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")

    answer = await outward.request("GET", place.url(), bounds=HERE)

    assert answer.status == 200
    assert "authorization" not in place.visits[0].headers


def test_networks_are_opened_by_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings.ENVIRONMENT, "outward_networks", "10.1.0.0/16, ::1")

    bounds = outward.allowed(hosts=["*"], redirects=2)

    assert bounds == Bounds(
        ("*",),
        networks=(ipaddress.IPv4Network("10.1.0.0/16"), ipaddress.IPv6Network("::1/128")),
        redirects=2,
    )


class TestWithTls:
    """The name that was asked for is the one that the certificate must have."""

    @pytest.fixture
    def secure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolve) -> Iterator[Outside]:
        resolve(**{"feed.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
        certificate = certified("feed.example", tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        trust = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(outward, "_trust", lambda: trust)
        with outside(tls=context) as found:
            yield found

    async def test_the_certificate_of_the_name_is_taken(self, secure: Outside):
        answer = await outward.request("GET", secure.url(host="feed.example"), bounds=HERE)

        assert answer.status == 200

    async def test_one_of_another_name_is_not(self, secure: Outside):
        with pytest.raises(Unreachable):
            await outward.request("GET", secure.url(host="other.example"), bounds=HERE)

        assert secure.visits == []


def certified(name: str, folder: Path) -> Path:
    """A file with a key and a certificate of this name that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
