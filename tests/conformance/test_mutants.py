"""The suite notices a rule that is wrong: the walks that pass without a mutant catch each of them."""

import pytest

from tests.conformance import summary
from tests.conformance.mutants import MUTANTS
from tests.conformance.stores import STORES
from tests.conformance.taped import RecordingStore
from tests.conformance.walks import walk

pytestmark = pytest.mark.timeout(240)

WALKS = 120
# Its tape is in the database, so these run on each of them.
TAPED = pytest.mark.django_db(transaction=True)
CASES = [
    pytest.param(
        STORES.get(engine, RecordingStore),
        mutate,
        id=f"{engine}-{mutate.__name__}",
        marks=[] if engine in STORES else TAPED,
    )
    for mutate, engines in MUTANTS.items()
    for engine in sorted(engines)
]


@pytest.mark.parametrize(("make_mutated_store", "mutate"), CASES)
async def test_mutant_is_caught(make_mutated_store, mutate, monkeypatch, request):
    mutate(monkeypatch)
    steps, broken = 0, None

    for seed in range(WALKS):
        taken, broken = await walk(make_mutated_store(), seed)
        steps += taken
        if broken:
            break

    assert broken, f"{mutate.__name__} survives"
    summary.note(request, mutant=mutate.__name__, steps=steps)
