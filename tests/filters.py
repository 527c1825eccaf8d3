"""What filters of records mean, for the command line and for the pages alike."""

TRADE = {
    "side": "Buy",
    "price": 101.5,
    "size": "2",
    "n": 7,
    "order": {"id": "a7f", "legs": [{"qty": 3}]},
    "open": True,
    "note": None,
}

# Filters, and whether the trade passes.
PASSES = [
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
]

# What is not understood, and what is said of it.
FAULTS = [
    ("a > b", "“> b” needs a number."),
    ('a > ""', "“> ” needs a number."),
    ("buy >", "not understood from “>” on"),
    ('"open', 'not understood from “"open” on'),
]
