import pytest

from tests.conformance.stores import STORES


@pytest.fixture(params=sorted(STORES))
def make_store(request):
    """What makes a store of each engine."""
    return STORES[request.param]


@pytest.fixture
async def store(make_store):
    """An empty store of each engine."""
    store = make_store()
    yield store
    await store.close()
