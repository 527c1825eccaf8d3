import pytest

from aegis_project.logs import JSONFormatter
from components.models import Credential
from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db

CREDENTIALS = "/api/v1/credentials"
SESSIONS = "/api/v1/sessions"


@pytest.fixture
def program() -> Caller:
    return caller()


def test_an_issued_credential_opens_what_it_is_for(program: Caller):
    order = {"name": "dashboard", "scopes": ["sessions:read"], "lifetime_seconds": 60}

    answer = program.post(CREDENTIALS, order)

    said = answer.json()
    issued = Caller(said["secret"])
    assert answer.status_code == 201
    assert said["credential"]["scopes"] == ["sessions:read"]
    assert (said["credential"]["team"], said["credential"]["patterns"]) == ("default", ["**"])
    assert issued.get(SESSIONS).status_code == 200
    assert issued.post(SESSIONS, {}).status_code == 403


def test_secrets_are_not_listed(program: Caller):
    secret = program.post(CREDENTIALS, {"name": "x", "scopes": ["topics:read"]}).json()["secret"]

    answer = program.get(CREDENTIALS)

    [newest, own] = answer.json()["data"]
    assert (newest["name"], own["name"]) == ("x", "default")
    # The part behind the prefix may have the sign that parts them.
    assert secret.split("_", 2)[2] not in answer.content.decode()


def test_tk1_a_secret_is_in_no_answer_and_no_log_once_it_was_shown(
    program: Caller, caplog: pytest.LogCaptureFixture
):
    for logger in ("", "aegis_project", "components", "sessions", "streaming"):
        caplog.set_level("DEBUG", logger or None)
    factories.session(key="k")
    issued = program.post(CREDENTIALS, {"name": "x", "scopes": ["sessions:read"]}).json()
    rotated = program.post(f"{CREDENTIALS}/{issued['credential']['prefix']}/rotate").json()
    token = program.post(f"{SESSIONS}/k/tokens").json()["session_token"]
    secrets = [issued["secret"], rotated["secret"], token]

    for secret in secrets:
        used = [Caller(word) for word in (secret, f"{secret}x")]
        statuses = [one.post(f"{SESSIONS}/k/start").status_code for one in used]
        assert statuses in ([401, 401], [403, 401])
    program.delete(f"{CREDENTIALS}/{rotated['credential']['id']}")
    places = ("", "/k", "/k/events", "/k/components")
    asked = [CREDENTIALS, "/api/v1/audit", *(f"{SESSIONS}{place}" for place in places)]
    answers = [program.get(address).content.decode() for address in asked]
    pages = [program.get(address, accept="text/html").content.decode() for address in asked]

    logged = [JSONFormatter().format(record) for record in caplog.records]
    assert logged
    assert [one for one in secrets if one in "".join([*answers, *pages, *logged])] == []


def test_lists_can_be_narrowed(program: Caller):
    made = factories.session(key="k")
    program.post(f"{SESSIONS}/k/tokens")
    Credential.objects.filter(session=made).update(revoked_at=made.created_at)

    def names(query: str) -> list[str]:
        return [one["name"] for one in program.get(f"{CREDENTIALS}?{query}").json()["data"]]

    assert names("") == ["session token", "default"]
    assert names("kind=session") == ["session token"]
    assert names("kind=program&fields=name") == ["default"]
    assert names(f"session={made.pk}") == ["session token"]
    assert names("usable=true") == ["default"]


@pytest.mark.parametrize("by", ["pk", "prefix"])
def test_a_revoked_credential_opens_nothing(program: Caller, by: str):
    secret = program.post(CREDENTIALS, {"name": "x", "scopes": ["sessions:read"]}).json()["secret"]
    row = Credential.objects.get(name="x")

    answer = program.delete(f"{CREDENTIALS}/{getattr(row, by)}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert code(Caller(secret).get(SESSIONS)) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize(
    ("order", "answer"),
    [
        ({"name": "x", "scopes": ["all"]}, (400, "VALIDATION_ERROR")),
        ({"name": "x", "scopes": []}, (400, "VALIDATION_ERROR")),
        ({"name": "", "scopes": ["topics:read"]}, (400, "VALIDATION_ERROR")),
        ({"name": "x", "scopes": "topics:read"}, (400, "VALIDATION_ERROR")),
        ({"name": "x", "scopes": ["audit:read"]}, (403, "PERMISSION_DENIED")),
        ({"name": "x", "scopes": ["topics:read"], "team": "no"}, (403, "PERMISSION_DENIED")),
        ({"name": "x", "scopes": ["topics:read"], "patterns": ["a..b"]}, (400, "VALIDATION_ERROR")),
    ],
)
def test_nobody_gives_what_cannot_be_or_is_not_theirs(order, answer: tuple[int, str]):
    program = caller(["credentials:write", "topics:read"])

    assert code(program.post(CREDENTIALS, order)) == answer


def test_a_name_that_is_taken_is_a_conflict(program: Caller):
    order = {"name": "x", "scopes": ["topics:read"]}
    program.post(CREDENTIALS, order)

    assert code(program.post(CREDENTIALS, order)) == (409, "CREDENTIAL_ALREADY_EXISTS")


def test_credentials_of_another_team_are_not_there(program: Caller):
    stranger = caller(team="strangers")
    own = Credential.objects.get(name="default")

    assert [one["name"] for one in stranger.get(CREDENTIALS).json()["data"]] == ["strangers"]
    assert code(stranger.delete(f"{CREDENTIALS}/{own.pk}")) == (404, "CREDENTIAL_NOT_FOUND")
    assert code(stranger.delete(f"{CREDENTIALS}/none")) == (404, "CREDENTIAL_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "scope"), [("GET", "credentials:read"), ("POST", "credentials:write")]
)
def test_credentials_need_their_scopes(method: str, scope: str):
    order = {"name": "x", "scopes": ["audit:read"]}

    answer = caller(["audit:read"]).send(method, CREDENTIALS, order if method == "POST" else None)

    assert code(answer) == (403, "PERMISSION_DENIED")
    assert answer.json()["error"]["details"] == {"scope": scope}
