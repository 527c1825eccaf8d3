import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import opaque


@pytest.mark.parametrize(
    "name",
    [
        "prometheus",
        "ops_policy.json",
        "recent_ops_logs.json",
        "kubernetes_cluster",
        "prometheus:9090",
        "Logs of May (2nd half)",
        "журнал",
        "https://metrics.example.com/api/v1?range=5m",
        "kafka://broker:9092/topic",
        "a..b",
        "keyword=cpu",
    ],
)
def test_a_name_is_kept(name: str):
    opaque.check(name, field="dataSource")


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../secrets.json",
        "policies/base.json",
        "..",
        ".",
        "~root",
        "~/policy.json",
        "C:policy.json",
        "c:\\policies\\base.json",
        "\\\\server\\share",
        "//server/share",
        "..%2f..%2fetc%2fpasswd",
        "%252e%252e%252fsecrets",
        "．．／secrets",
        "file:///etc/passwd",
        "http:///no-host",
        "https://example.com/a/../../b",
        "https://example.com\\b",
        "../x://y",
    ],
)
def test_a_path_is_refused(name: str):
    assert refusal(name) == "is a path"


@pytest.mark.parametrize(
    "name",
    [
        "https://user:password@example.com/policy",
        "https://token@example.com",
        "postgresql://aegis:secret@db/x",
        "https://user%3Apassword%40example.com",
        "https://example.com/?access_token=abc",
        "https://example.com/?x=1&X-Amz-Signature=abc",
        "https://example.com/#key=abc",
        "host=db user=x password=y",
        "Server=db;Pwd = y",
        "sig=abc",
    ],
)
def test_credentials_are_refused(name: str):
    assert refusal(name) == "carries credentials"


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x00b", "a%0ab", "a\x7f", "a\u202eb", "a\u2028b", "a\ud800b"]
)
def test_what_nobody_can_see_is_refused(name: str):
    assert refusal(name) == "has control characters"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        (" %20 ", "is empty"),
        ("x" * 501, "has more than 500 characters"),
        ("https://[::1", "is no URL either"),
    ],
)
def test_what_is_no_name_is_refused(name: str, why: str):
    assert refusal(name) == why


def refusal(name: str) -> str:
    with pytest.raises(ValidationFailed) as refused:
        opaque.check(name, field="policy")
    assert refused.value.details == {"fields": ["policy"]}
    beginning, _, why = refused.value.message.partition(", and ")
    assert beginning == "policy is the name of something"
    return why.removesuffix(".")
