"""The fields in which people edit the arguments of a call, made from the tool's JSON Schema."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from sessions.admin.approval_cells import shown

MAX_BYTES = 64 * 1024
LONGEST_LINE, MOST_ROWS = 80, 12
ABSENT: Any = object()
"""What a field says that leaves its argument away."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: what was asked, and what the tool says of it."""

    name: str
    schema: Mapping[str, Any]
    is_required: bool
    value: Any = ABSENT

    @property
    def is_given(self) -> bool:
        return self.value is not ABSENT

    @property
    def text(self) -> str:
        """The value as it stands in its field."""
        return _text(self) if self.is_given else ""

    @property
    def hint(self) -> str:
        """What may stand there: ``integer, 1 to 100``."""
        if self.schema.get("enum"):
            return ""
        kind = self.schema.get("type")
        words = [kind if isinstance(kind, str) else "JSON", *_bounds(self.schema)]
        return ", ".join([*words, *([] if self.is_required else ["optional"])])


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    elif low is not None or high is not None:
        yield f"from {low}" if high is None else f"up to {high}"


def of(parameters: Mapping[str, Any], given: Mapping[str, Any]) -> list[Argument]:
    """All arguments: those that the tool names, in its order, and whatever else was given."""
    named = parameters.get("properties")
    properties = named if isinstance(named, Mapping) else {}
    required = parameters.get("required")
    needed = required if isinstance(required, list) else []
    return [
        Argument(
            name,
            schema if isinstance(schema := properties.get(name), Mapping) else {},
            name in needed,
            given.get(name, ABSENT),
        )
        for name in dict.fromkeys([*properties, *given])
    ]


def field(argument: Argument) -> "ArgumentField":
    """The field that fits: by the schema, as far as what was asked keeps to it."""
    kind = argument.schema.get("type")
    if kind == "boolean" and isinstance(argument.value, bool):
        return SwitchField(argument)
    if _is_choice(argument):
        return ChoiceField(argument)
    if _is_text(argument):
        return TextField(argument)
    if kind in ("integer", "number") and _is_number(argument):
        return NumberField(argument)
    return ArgumentField(argument)


def _is_choice(argument: Argument) -> bool:
    words = _words(argument.schema)
    return bool(words) and (not argument.is_given or _json(argument.value) in map(_json, words))


def _words(schema: Mapping[str, Any]) -> list[Any]:
    words = schema.get("enum")
    if schema.get("type") == "boolean":
        return [True, False]
    return words if isinstance(words, list) else []


def _is_text(argument: Argument) -> bool:
    is_one = not argument.is_given or isinstance(argument.value, str)
    return argument.schema.get("type") == "string" and is_one and not _words(argument.schema)


def _is_number(argument: Argument) -> bool:
    is_one = isinstance(argument.value, int | float) and not isinstance(argument.value, bool)
    return (not argument.is_given or is_one) and not _words(argument.schema)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _text(argument: Argument) -> str:
    if _is_text(argument):
        return str(argument.value)
    is_nested = isinstance(argument.value, list | dict) and argument.value
    return json.dumps(argument.value, ensure_ascii=False, indent=2 if is_nested else None)


class ArgumentField(forms.CharField):
    """
    Any JSON value as text; the base of the others.

    What was not touched is exactly what was asked, whatever its text would be read as; nothing
    leaves an argument away.
    """

    def __init__(self, argument: Argument) -> None:
        self.argument = argument
        super().__init__(
            required=False,
            strip=False,
            label=argument.name,
            initial=self.begin(argument),
            widget=self.make_widget(),
        )

    def begin(self, argument: Argument) -> Any:
        """What stands in the field at first."""
        return argument.text

    def make_widget(self) -> forms.Widget:
        rows = min(max(self.argument.text.count("\n") + 1, 2), MOST_ROWS)
        attrs = {"class": "ae-input ae-area", "rows": rows, "spellcheck": "false"}
        return forms.Textarea(attrs)

    def clean(self, value: Any) -> Any:
        text = (value or "").replace("\r\n", "\n")
        if self.argument.is_given and text == self.initial.replace("\r\n", "\n"):
            return self.argument.value
        return self.read(text)

    def read(self, text: str) -> Any:
        """
        The value that a text stands for.

        :raises ValidationError: if it stands for none
        """
        if not text.strip():
            return ABSENT
        try:
            return strict.decode(text, max_bytes=MAX_BYTES)
        except AegisError as error:
            raise forms.ValidationError(error.message) from None


class TextField(ArgumentField):
    """A text as it is; one that was given stays, even if nothing is left of it."""

    def make_widget(self) -> forms.Widget:
        text = self.argument.text
        if "\n" in text or len(text) > LONGEST_LINE:
            return super().make_widget()
        return forms.TextInput({"class": "ae-input", "autocomplete": "off", "spellcheck": "false"})

    def read(self, text: str) -> Any:
        return text if text or self.argument.is_given else ABSENT


class NumberField(ArgumentField):
    """A number, which is read as one."""

    def make_widget(self) -> forms.Widget:
        schema = self.argument.schema
        is_whole = schema.get("type") == "integer"
        attrs = {"class": "ae-input", "step": "1" if is_whole else "any", "autocomplete": "off"}
        bounds = {"min": schema.get("minimum"), "max": schema.get("maximum")}
        return forms.NumberInput({**attrs, **{k: v for k, v in bounds.items() if v is not None}})

    def read(self, text: str) -> Any:
        found = super().read(text)
        if found is ABSENT:
            return found
        is_whole = self.argument.schema.get("type") == "integer"
        if isinstance(found, bool) or not isinstance(found, int if is_whole else int | float):
            raise forms.ValidationError("This is a whole number." if is_whole else "A number.")
        return found


class ChoiceField(ArgumentField):
    """One of the values that the tool knows."""

    def begin(self, argument: Argument) -> Any:
        return _json(argument.value) if argument.is_given else ""

    def make_widget(self) -> forms.Widget:
        words = [(_json(word), shown(word)) for word in _words(self.argument.schema)]
        nothing = [] if self.argument.is_required and self.argument.is_given else [("", "–")]
        return forms.Select({"class": "ae-input"}, choices=[*nothing, *words])


class SwitchField(ArgumentField):
    """Yes or no."""

    def begin(self, argument: Argument) -> Any:
        return argument.value

    def make_widget(self) -> forms.Widget:
        return forms.CheckboxInput({"class": "ae-tick-box"})

    def clean(self, value: Any) -> Any:
        return bool(value)
