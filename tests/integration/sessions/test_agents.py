from dataclasses import replace

import pytest

from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from aegis_project.kit.principal import ANONYMOUS
from sessions.agent import llm
from sessions.core.errors import AgentNotFound, LLMError
from sessions.models import Agent
from sessions.selectors import agents
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


def entry(slug: str, **values) -> Agent:
    return Agent.objects.create(
        slug=slug, name=slug, **{"model": "scripted:echo", "visibility": "public", **values}
    )


def slugs(rows) -> list[str]:
    return sorted(rows.values_list("slug", flat=True))


def test_there_is_always_an_assistant():
    assert slugs(agents.visible(OPERATOR)) == ["assistant"]

    Agent.objects.all().delete()

    assert agents.find(ANONYMOUS, "assistant").name == "Assistant"
    assert slugs(agents.visible(ANONYMOUS)) == ["assistant"]


def test_an_assistant_out_of_use_stays_out_of_use():
    agents.assistant()
    Agent.objects.update(is_active=False)

    with pytest.raises(AgentNotFound):
        agents.find(OPERATOR, "assistant")
    assert slugs(agents.visible(OPERATOR)) == []


def test_who_may_know_of_an_agent():
    mine, other = factories.team("mine"), factories.team("other")
    entry("open", team=other)
    entry("inner", team=other, visibility="internal")
    entry("hidden", team=other, visibility="private")
    entry("own", team=mine, visibility="private")
    entry("resting", team=mine, is_active=False)
    member = factories.member(mine)

    assert slugs(agents.visible(ANONYMOUS)) == ["assistant", "open"]
    assert slugs(agents.visible(member)) == ["assistant", "inner", "open", "own"]
    assert slugs(agents.visible(OPERATOR)) == ["assistant", "hidden", "inner", "open", "own"]
    assert slugs(agents.readable(member)) == ["assistant", "inner", "open", "own", "resting"]
    assert agents.read(member, "resting").slug == "resting"
    for slug in ("hidden", "resting", "none", "a\x00"):
        with pytest.raises(AgentNotFound):
            agents.find(member, slug)


def test_the_catalogue_is_read_with_a_scope():
    with pytest.raises(PermissionDenied):
        agents.readable(replace(OPERATOR, scopes=frozenset()))
    for slug in ("none", "a\x00"):
        with pytest.raises(AgentNotFound):
            agents.read(OPERATOR, slug)


def test_an_agent_is_found_with_one_query(django_assert_num_queries):
    entry("open")

    with django_assert_num_queries(1):
        found = agents.find(OPERATOR, "open")
        assert (found.team, found.policy) == (None, None)


def test_without_a_key_the_script_speaks_for_the_default_model():
    assert llm.service_for(agents.assistant()).model == "scripted:assistant"


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("scripted:nobody", ValidationFailed),
        ("nonsense", ValidationFailed),
        ("nowhere:model", LLMError),
    ],
)
def test_a_model_that_is_none_is_refused(model, error):
    with pytest.raises(error):
        llm.service_for(entry("odd", model=model))
