import pytest

from components.core import scopes


def test_permissions_amount_to_scopes():
    granted = scopes.granted({"aegis_sessions.view_session", "auth.view_user"})

    assert granted == {"sessions:read", "components:read", "events:read"}


def test_every_scope_named_is_a_scope():
    named = {scope for each in scopes.PERMISSIONS.values() for scope in each}

    assert named <= scopes.SCOPES
    assert scopes.OPEN_SCOPES < scopes.SCOPES


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"*"}, ["viewer", "operator", "approver"]),
        ({"approvals:decide", "approvals:read"}, ["approver"]),
        ({"approvals:decide"}, []),
    ],
)
def test_scopes_amount_to_roles(given: set[str], names: list[str]):
    assert scopes.roles(frozenset(given)) == names
