import json
from typing import Any

import pytest

from aegis_project.kit.errors import ValidationFailed
from streaming.core import filtering
from tests import filters


@pytest.mark.parametrize(("source", "passes"), filters.PASSES)
def test_everything_must_hold_of_a_record(source: str, passes: bool):
    text = json.dumps(filters.TRADE, separators=(",", ":"))

    assert filtering.read(source)(text, filters.TRADE) is passes


@pytest.mark.parametrize(("source", "said"), filters.FAULTS)
def test_what_is_not_understood_is_said(source: str, said: Any):
    with pytest.raises(ValidationFailed, match=said):
        filtering.read(source)
