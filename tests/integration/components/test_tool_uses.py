"""Tools of components: each use is sent once and answered once."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from components.core.lifecycle import Role
from components.core.messages import Result
from components.models import Component, ToolUse
from components.services import tool_uses
from tests import factories, threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def component() -> Component:
    return factories.readied(factories.session(), "scale", role=Role.TOOL)


def ask(component: Component, *, key: str = "k", seconds: float = 30) -> ToolUse:
    return tool_uses.ask(
        component_id=component.pk, tool="weigh", arguments={}, effect_key=key, seconds=seconds
    )


def take(component: Component) -> list[ToolUse]:
    return tool_uses.take(component_ids=[str(component.pk)])


def answer(use: ToolUse, component: Component, **said: Any) -> bool:
    result = Result(id=str(use.pk), **said)
    return tool_uses.answer(result=result, component_id=str(component.pk))


def test_of_many_who_would_send_it_one_does(component: Component):
    use = ask(component)
    assert tool_uses.is_asked()

    found = threads.together([partial(take, component) for _ in range(6)])

    assert [one.pk for several in found for one in several] == [use.pk]
    assert not tool_uses.is_asked()


def test_what_is_too_late_or_of_others_is_not_sent(component: Component):
    ask(component, seconds=-1)
    ask(factories.readied(factories.session(), "other", role=Role.TOOL))

    assert take(component) == []
    assert tool_uses.take(component_ids=[]) == []


def test_the_first_answer_counts(component: Component):
    use = ask(component)
    take(component)

    assert answer(use, component, value={"grams": 7})
    assert not answer(use, component, value={"grams": 8})

    use.refresh_from_db()
    assert (use.result, use.error) == ({"grams": 7}, None)
    assert use.answered_at is not None


def test_nobody_answers_for_another(component: Component):
    use = ask(component)
    other = factories.readied(factories.session(), "other", role=Role.TOOL)

    assert not answer(use, other, value=1)
    for id_ in (str(uuid4()), "nothing"):
        result = Result(id=id_)
        assert not tool_uses.answer(result=result, component_id=str(component.pk))


def test_what_was_not_sent_can_be_taken_back(component: Component):
    first, second = ask(component, key="a"), ask(component, key="b")
    assert tool_uses.withdraw(first.pk)
    take(component)

    assert not tool_uses.withdraw(second.pk)
    assert list(ToolUse.objects.all()) == [second]


def test_the_same_effect_is_not_sent_again_beside_itself(component: Component):
    ask(component)
    again = ask(component)

    assert [one.pk for one in take(component)] == [again.pk]


def test_what_was_answered_stands_for_the_same_effect(component: Component):
    use = ask(component)
    take(component)
    answer(use, component, value=7)

    assert ask(component) == use
    assert ask(component, key="other") != use


def test_an_effect_that_failed_may_be_asked_for_again(component: Component):
    use = ask(component)
    take(component)
    answer(use, component, error={"code": "X", "message": "no"})

    assert ask(component) != use
