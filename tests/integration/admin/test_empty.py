"""Lists without rows say what would be there, and how it comes."""

import pytest

from aegis_project.lists import PlainAdmin
from tests.integration.admin.help import GRANTS, PROGRAMS, PROVIDERS, TOOL_SERVERS, WEBHOOKS, text

LINES = {
    WEBHOOKS: "./aegis webhook create",
    TOOL_SERVERS: "./aegis tool-server create",
    PROVIDERS: "./aegis provider create",
    GRANTS: "./aegis policy grants",
}


@pytest.mark.parametrize("address", LINES)
def test_a_list_without_rows_says_what_would_be_there(client, superuser, address):
    client.force_login(superuser)

    shown = text(client.get(address))

    assert LINES[address] in shown
    assert "No results found" not in shown


def test_a_list_that_nothing_matches_offers_to_drop_its_filters(client, superuser):
    client.force_login(superuser)

    shown = text(client.get(f"{PROGRAMS}?q=nothing"))

    assert "Nothing matches" in shown
    assert "Drop all filters" in shown


def test_every_list_of_ours_has_its_words(client, superuser):
    client.force_login(superuser)
    named = [one for one in PlainAdmin.__subclasses__() if one.__module__.startswith("components.")]

    assert [one.__name__ for one in named if not one.empty.what] == []
