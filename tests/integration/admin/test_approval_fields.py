import pytest
from django import forms

from sessions.admin import approval_fields
from sessions.admin.approval_fields import ABSENT

PARAMETERS = {
    "type": "object",
    "properties": {
        "symbol": {"type": "string"},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 100},
        "limit": {"type": "number"},
        "side": {"enum": ["buy", "sell", 3]},
        "post_only": {"type": "boolean"},
        "legs": {"type": "array"},
        "note": {"type": ["string", "null"]},
    },
    "required": ["symbol", "quantity"],
}
GIVEN = {
    "symbol": "BTC",
    "quantity": 5,
    "limit": 100.0,
    "side": 3,
    "post_only": True,
    "legs": [{"size": 1}],
    "other": None,
}


def made(name, parameters=PARAMETERS, given=GIVEN):
    """The field of one argument."""
    found = approval_fields.of(parameters, given)
    return approval_fields.field(next(one for one in found if one.name == name))


def test_arguments_come_in_the_order_of_the_tool_with_what_else_was_given():
    found = approval_fields.of(PARAMETERS, GIVEN)

    kinds = {one.name: type(approval_fields.field(one).widget).__name__ for one in found}
    assert kinds == {
        "symbol": "TextInput",
        "quantity": "NumberInput",
        "limit": "NumberInput",
        "side": "Select",
        "post_only": "CheckboxInput",
        "legs": "Textarea",
        "note": "Textarea",
        "other": "Textarea",
    }
    assert [one.hint for one in found] == [
        "string",
        "integer, 1 to 100",
        "number, optional",
        "",
        "boolean, optional",
        "array, optional",
        "JSON, optional",
        "JSON, optional",
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("symbol", "12", "12"),
        ("symbol", "", ""),
        ("quantity", "7", 7),
        ("quantity", "", ABSENT),
        ("limit", "100.5", 100.5),
        ("limit", "2", 2),
        ("side", '"buy"', "buy"),
        ("side", "", ABSENT),
        ("post_only", False, False),
        ("legs", '[{"size": 2}, "x"]', [{"size": 2}, "x"]),
        ("note", '"said"', "said"),
        ("note", "", ABSENT),
        ("other", "", ABSENT),
    ],
)
def test_edited_values_keep_their_types(name, text, value):
    found = made(name).clean(text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("name", GIVEN)
def test_what_was_not_touched_is_what_was_asked(name):
    field = made(name)

    found = field.clean(field.initial)

    assert (found, type(found)) == (GIVEN[name], type(GIVEN[name]))


def test_text_of_several_lines_is_not_changed_by_how_browsers_end_lines():
    given = {"symbol": "one\ntwo"}

    assert made("symbol", given=given).clean("one\r\ntwo") == "one\ntwo"


@pytest.mark.parametrize("value", ["5", None, True])
def test_value_that_is_not_what_the_tool_says_is_edited_as_json(value):
    field = made("quantity", given={"quantity": value})

    assert isinstance(field.widget, forms.Textarea)
    assert field.clean(field.initial) is value


@pytest.mark.parametrize("value", [ABSENT, "yes"])
def test_boolean_that_is_none_is_no_checkbox(value):
    given = {} if value is ABSENT else {"post_only": value}

    field = made("post_only", given=given)

    assert not isinstance(field.widget, forms.CheckboxInput)
    assert field.clean(field.initial) is value
    assert field.clean("true") is True


@pytest.mark.parametrize(
    ("name", "text"), [("quantity", "1.5"), ("quantity", "true"), ("limit", '"1"'), ("legs", "[")]
)
def test_text_that_stands_for_no_value_is_refused(name, text):
    with pytest.raises(forms.ValidationError):
        made(name).clean(text)


@pytest.mark.parametrize("parameters", [{}, {"properties": []}, {"properties": {"symbol": True}}])
def test_tool_that_says_nothing_has_its_arguments_edited_as_json(parameters):
    field = made("symbol", parameters=parameters)

    assert (field.initial, field.clean('{"a": 1}')) == ('"BTC"', {"a": 1})
