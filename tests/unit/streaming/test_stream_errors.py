import pytest

from aegis_project.kit import errors as kit
from streaming.core import errors
from streaming.core.errors import CloseCode


def all_of(kind):
    for one in kind.__subclasses__():
        yield one
        yield from all_of(one)


@pytest.mark.parametrize("kind", list(all_of(errors.StreamError)), ids=lambda kind: kind.__name__)
def test_stream_error_closes_with_its_own_code_or_a_range_that_fits(kind):
    code = errors.close_code(kind())

    assert code == (kind.close or CloseCode.PROTOCOL)
    assert (4100 <= code < 4300) is kind.temporary or code is CloseCode.POSITION_GONE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (kit.ValidationFailed(), 4000),
        (kit.PayloadTooLarge(), 4008),
        (kit.NotAuthenticated(), 4001),
        (kit.PermissionDenied(), 4003),
        (kit.RateLimited(), 4103),
        (kit.DatabaseUnavailable(), 4105),
        (kit.InternalError(), 4104),
        (kit.InvalidState(), 4000),
    ],
)
def test_every_other_error_has_a_close_code_too(error, code):
    assert errors.close_code(error) == code


def test_unforeseen_temporary_error_asks_to_come_back():
    class Busy(kit.AegisError):
        """Busy."""

        temporary = True

    assert errors.close_code(Busy()) is CloseCode.INTERNAL


def test_close_code_stands_for_one_error():
    assert isinstance(errors.error_of(CloseCode.REPLACED), errors.ConnectionReplaced)
    assert isinstance(errors.error_of(CloseCode.PARTNER_LOST), errors.PartnerLost)
    assert errors.error_of(CloseCode.NORMAL) is None


def test_close_codes_that_may_be_sent_are_few():
    assert {int(code) for code in CloseCode} == {
        1000,
        *(4000, 4001, 4002, 4003, 4004, 4005, 4007, 4008, 4009, 4010),
        *(4100, 4101, 4102, 4103, 4104, 4105),
        *(4200, 4202, 4203),
    }
