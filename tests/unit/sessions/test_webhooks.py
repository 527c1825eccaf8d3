import base64

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import webhooks

KNOWN = ["approval.requested", "approval.decided", "run.completed"]


def test_signature_is_that_of_standard_webhooks():
    # The example of the specification of Standard Webhooks.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    found = webhooks.signature(
        secret,
        id_="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secret_is_written_with_its_prefix():
    assert webhooks.secret_of(b"k" * 32) == "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    ("patterns", "type_", "is_heard"),
    [
        (["approval.*"], "approval.decided", True),
        (["run.completed", "approval.decided"], "approval.decided", True),
        (["run.*"], "approval.decided", False),
        (["*"], "session.ended", True),
    ],
)
def test_webhook_hears_what_its_patterns_mean(patterns, type_, is_heard):
    assert webhooks.hears(patterns, type_) is is_heard


def test_patterns_mean_something():
    webhooks.check_patterns(["approval.*", "run.completed"], KNOWN)
    for patterns, unknown in ([], []), (["aproval.*", "run.*"], ["aproval.*"]):
        with pytest.raises(ValidationFailed) as refused:
            webhooks.check_patterns(patterns, KNOWN)
        assert refused.value.details["unknown"] == unknown
    with pytest.raises(ValidationFailed):
        webhooks.check_patterns(["*"] * 51, KNOWN)


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://127.0.0.1:8080/?a=b"])
def test_address_is_taken(url):
    webhooks.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://ana:secret@example.com",
        "https://:secret@example.com",
        "https://example.com:99999",
        "https://example.com:0",
        "https://[::1",
        "https://example.com/\n",
        "https://exämple.com",
        "https://example.com/" + "x" * 500,
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValidationFailed):
        webhooks.check_url(url)


@pytest.mark.parametrize(
    ("status", "is_taken"), [(200, True), (204, True), (199, False), (302, False), (500, False)]
)
def test_only_success_is_taken(status, is_taken):
    assert webhooks.is_taken(status) is is_taken


def test_waits_grow_are_spread_and_end():
    middle = [webhooks.wait_seconds(number, chance=0.5) for number in range(1, 10)]

    assert middle == [*map(pytest.approx, webhooks.WAITS), None]
    assert webhooks.wait_seconds(1, chance=0) == pytest.approx(4)
    assert webhooks.wait_seconds(1, chance=1) == pytest.approx(6)
