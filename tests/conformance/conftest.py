import pytest

from streaming.engines import valkey_link
from tests.conformance.stores import STORES
from tests.conformance.taped import RecordingStore

# The tape is in the database, so these run on each of them.
RECORDING = pytest.param(RecordingStore, marks=pytest.mark.django_db(transaction=True))

EXACT = ["memory", "waiting"]


@pytest.fixture(
    params=[*(STORES[name] for name in sorted(STORES)), RECORDING],
    ids=[*sorted(STORES), "recording"],
)
def make_store(request):
    """What makes a store of each engine."""
    return request.param


@pytest.fixture(params=EXACT)
def make_exact_store(request):
    """The same of those engines that have neither threads nor another process in them."""
    return STORES[request.param]


@pytest.fixture
async def store(make_store):
    """An empty store of each engine."""
    store = make_store()
    yield store
    await store.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """A connection to Valkey that was cut is made again at once."""
    monkeypatch.setattr(valkey_link, "RETRY_SECONDS", 0.001)
