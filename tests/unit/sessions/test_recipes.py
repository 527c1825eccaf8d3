import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import presets, recipes
from sessions.core.lifecycle import Kind

WHOLE = {
    "name": "Prices",
    "kind": "stream",
    "mode": "realtime",
    "environment": "test",
    "agent": "assistant",
    "components": [{"name": "prices", "role": "feed", "required": True, "topics": ["klines.**"]}],
    "messages": [{"role": "system", "content": "Be brief."}],
    "prompts": ["What moved?"],
    "tags": ["work"],
    "context": {"symbol": "BTC"},
    "config": {"topics": [{"pattern": "klines.**", "recorded": True}]},
}


def test_a_recipe_is_kept_as_it_was_said():
    found = recipes.read(WHOLE)

    kept = recipes.kept(found)
    assert {**kept, "components": WHOLE["components"]} == WHOLE
    assert recipes.read(kept) == found


def test_an_empty_recipe_is_a_chat():
    assert recipes.kept(recipes.read({})) == {
        "kind": "chat",
        "mode": "realtime",
        "environment": "development",
    }
    assert recipes.read({}).kind is Kind.CHAT


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"unknown": 1},
        {"kind": "party"},
        {"components": [{"name": "a"}, {"name": "a"}]},
        {"config": {"topics": "all"}},
        {"config": {"max_messages": 1}},
        {"config": {"admission": "maybe"}},
        {"tags": ["a/b"]},
        {"messages": [{"content": ""}]},
        {"messages": [{"content": "x", "role": "tool"}]},
    ],
)
def test_a_recipe_of_which_nothing_can_be_made_is_refused(wrong):
    with pytest.raises(ValidationFailed):
        recipes.read(wrong)


def test_slugs():
    assert recipes.check_slug("market-stream_2") == "market-stream_2"
    for wrong in ("", "Two", "a b", "import", "from-session", "a" * 101):
        with pytest.raises(ValidationFailed):
            recipes.check_slug(wrong)


def test_what_is_given_goes_before_what_the_template_says():
    assert recipes.merged({"a": 1, "b": 1}, {"b": 2}) == {"a": 1, "b": 2}


def test_the_templates_of_the_system_can_be_made_and_prompt():
    assert [one.slug for one in presets.SYSTEM[:5]] == [
        *("coding-assistant", "writing-assistant", "data-analyst", "brainstorm", "learning"),
    ]
    assert len({one.slug for one in presets.SYSTEM}) == len(presets.SYSTEM)
    for one in presets.SYSTEM:
        recipe = recipes.read(one.recipe)
        assert recipes.check_slug(one.slug) == one.slug
        assert recipes.kept(recipe) == recipes.kept(recipes.read(recipes.kept(recipe)))
        assert len(set(recipe.prompts)) == 4
        assert one.name
        assert one.description
