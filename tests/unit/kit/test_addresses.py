import pytest

from aegis_project.kit import addresses


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_an_address_of_the_public_network_is_public(address):
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 -- nothing is bound
        "10.1.2.3",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.0.9",
        "168.63.129.16",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.19.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_every_other_address_is_not(address):
    assert not addresses.is_public(address)


def test_a_network_holds_its_addresses_in_every_form():
    networks = addresses.networks(["127.0.0.0/8", "fd00::1"])

    found = ["127.0.0.1", "::ffff:127.0.0.1", "fd00::1", "fd00::2", "10.0.0.1"]

    assert [addresses.is_within(one, networks) for one in found] == [True, True, True, False, False]


@pytest.mark.parametrize("text", ["nothing", "10.0.0.1/8", "10.0.0.0/40"])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ValueError, match=r"(address|network|host bits)"):
        addresses.networks([text])


@pytest.mark.parametrize(
    ("host", "patterns", "is_allowed"),
    [
        ("api.example.com", ["api.example.com"], True),
        ("API.Example.COM.", ["api.example.com"], True),
        ("api.example.com", ["*.example.com"], True),
        ("a.b.example.com", ["*.Example.com"], True),
        ("example.com", ["*.example.com"], False),
        (".example.com", ["*.example.com"], False),
        ("badexample.com", ["*.example.com"], False),
        ("example.com.evil.test", ["example.com", "*.example.com"], False),
        ("anything", ["*"], True),
        ("anything", [], False),
    ],
)
def test_a_host_is_allowed_by_name_by_domain_or_with_all(host, patterns, is_allowed):
    assert addresses.matches(host, patterns) is is_allowed
