"""One world for all cases of a process; whatever a case does is taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.integration.access import world as worlds
from tests.integration.access.world import World


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once; a case is a savepoint of its transaction."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = worlds.make()
        assert made.rows
        yield made
        transaction.set_rollback(True)
