import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import references
from sessions.core.references import Reference


@pytest.mark.parametrize("text", ["openai:gpt-5", "my-own:org/model:7b", "scripted:assistant"])
def test_a_reference_is_read_and_written(text):
    assert str(references.read(text)) == text


def test_the_first_colon_parts_provider_and_model():
    assert references.read("local:qwen:7b") == Reference("local", "qwen:7b")


@pytest.mark.parametrize("text", ["", "default", "openai", "openai:", "Open AI:x", "a:b c", "é:x"])
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(ValidationFailed):
        references.read(text)
