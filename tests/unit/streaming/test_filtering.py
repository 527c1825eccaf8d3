import json
from typing import Any

import pytest

from aegis_project.kit.errors import ValidationFailed
from streaming.core import filtering

TRADE = {
    "side": "Buy",
    "price": 101.5,
    "size": "2",
    "n": 7,
    "order": {"id": "a7f", "legs": [{"qty": 3}]},
    "open": True,
    "note": None,
}


@pytest.mark.parametrize(
    ("source", "passes"),
    [
        ("", True),
        ("buy", True),
        ("-buy", False),
        ("sell", False),
        ("-sell", True),
        ('"a7f" price > 100', True),
        ('-"a7f"', False),
        ("price > 101.5", False),
        ("price >= 101.5", True),
        ("price < 1e3", True),
        ("price <= .5", False),
        ("size > 1", True),
        ("side > 1", False),
        ("open > 0", False),
        ("none > 0", False),
        ("n = 7", True),
        ("n = 7.0", True),
        ("n != 7", False),
        ("n = x", False),
        ("side = Buy", True),
        ("side = buy", False),
        ("side != buy", True),
        ("open = true", True),
        ("note = null", True),
        ("none = 1", False),
        ("none != 1", True),
        ("none ~ 1", False),
        ("order.id ~ 7F", True),
        ("order ~ qty", True),
        ("order.legs.0.qty = 3", True),
        ("order.legs.1.qty = 3", False),
        ("order.legs.x = 3", False),
        ("price.x = 3", False),
        ('side = "Buy" n = 7', True),
    ],
)
def test_everything_must_hold_of_a_record(source: str, passes: bool):
    text = json.dumps(TRADE, separators=(",", ":"))

    assert filtering.read(source)(text, TRADE) is passes


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a > b", "“> b” needs a number."),
        ('a > ""', "“> ” needs a number."),
        ("buy >", "not understood from “>” on"),
        ('"open', 'not understood from “"open” on'),
    ],
)
def test_what_is_not_understood_is_said(source: str, said: Any):
    with pytest.raises(ValidationFailed, match=said):
        filtering.read(source)
