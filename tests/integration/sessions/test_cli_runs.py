import pytest

from tests.integration.sessions import working_help as help_

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


def test_a_run_is_started_listed_limited_and_cancelled(aegis):
    help_.agent()
    help_.session(key="k")

    run = aegis("runs", "start", "k", "--agent", "scribe", "-q").out.strip()
    listed = aegis("runs", "list", "--session", "k", "--state", "queued")
    limited = aegis("runs", "limits", run, "--max-tokens", "5", "--json").document
    cancelled = aegis("runs", "cancel", run, "--reason", "enough")
    shown = aegis("runs", "show", run, "--json").document

    assert [line.split()[:3] for line in listed.out.splitlines()[1:]] == [[run, "scribe", "queued"]]
    assert limited["data"]["limits"] == {"max_tokens": 5}
    assert cancelled.out == f"{run}  scribe  cancelled\n"
    assert (shown["schema"], shown["data"]["state"]) == ("aegis.runs.show/1", "cancelled")
    assert aegis("runs", "list", "--state", "queued", "-q").out == ""
