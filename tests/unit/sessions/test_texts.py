import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import texts


def test_texts_up_to_their_limits_are_kept():
    texts.check(**{field: "x" * limit for field, limit in texts.LIMITS.items()})


@pytest.mark.parametrize(("field", "limit"), texts.LIMITS.items())
def test_a_longer_text_is_refused_by_its_field(field: str, limit: int):
    with pytest.raises(ValidationFailed) as refusal:
        texts.check(**{field: "x" * (limit + 1)})

    assert refusal.value.details == {"field": field, "longest": limit}
