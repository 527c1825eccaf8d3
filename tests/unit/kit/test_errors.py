from aegis_project.kit import errors
from aegis_project.kit.errors import AegisError


class Spilled(AegisError):
    """
    The coffee was spilled
    over the keyboard.

    This paragraph is for the reader of the code.
    """

    code = "SPILLED"
    status = 418


class Silent(AegisError):
    pass


def test_the_first_paragraph_of_the_docstring_is_the_message_when_none_is_given():
    assert Spilled().as_dict() == {
        "code": "SPILLED",
        "message": "The coffee was spilled over the keyboard.",
        "details": {},
    }


def test_an_error_carries_its_own_message_and_details():
    error = Spilled("Again.", cups=2)

    assert error.as_dict() == {"code": "SPILLED", "message": "Again.", "details": {"cups": 2}}
    assert str(error) == "Again."


def test_a_class_without_a_docstring_is_called_by_its_name():
    assert Silent.__doc__ is None
    assert errors.default_message(Silent) == "Silent"


def test_what_is_not_anticipated_is_an_internal_error_for_good():
    assert (AegisError.code, AegisError.status, AegisError.temporary) == (
        "INTERNAL_ERROR",
        500,
        False,
    )
