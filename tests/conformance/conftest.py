import pytest

from tests.conformance.stores import STORES
from tests.conformance.taped import RecordingStore

# The tape is in the database, so these run on each of them.
RECORDING = pytest.param(RecordingStore, marks=pytest.mark.django_db(transaction=True))


@pytest.fixture(
    params=[*(STORES[name] for name in sorted(STORES)), RECORDING],
    ids=[*sorted(STORES), "recording"],
)
def make_store(request):
    """What makes a store of each engine."""
    return request.param


@pytest.fixture(params=sorted(STORES))
def make_quick_store(request):
    """The same without the database."""
    return STORES[request.param]


@pytest.fixture
async def store(make_store):
    """An empty store of each engine."""
    store = make_store()
    yield store
    await store.close()
