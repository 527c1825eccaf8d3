import pytest

from aegis_project import sealed
from aegis_project.kit.errors import SecretUnreadable

SECRET = "sk-Größe-1"


def test_what_was_sealed_is_read_again_and_never_looks_the_same():
    first, second = sealed.seal(SECRET), sealed.seal(SECRET)

    assert SECRET not in first
    assert first != second
    assert [sealed.unseal(one) for one in (first, second)] == [SECRET, SECRET]


def test_another_secret_key_opens_nothing_and_says_so(settings):
    kept = sealed.seal(SECRET)
    settings.SECRET_KEY = f"{settings.SECRET_KEY}-other"

    with pytest.raises(SecretUnreadable) as caught:
        sealed.unseal(kept)

    assert caught.value.as_dict() == {
        "code": "SECRET_UNREADABLE",
        "message": "A stored secret was sealed with another secret key; enter it again.",
        "details": {},
    }
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("broken", ["", "nonsense", "ä"])
def test_what_was_never_sealed_is_refused(broken):
    with pytest.raises(SecretUnreadable):
        sealed.unseal(broken)


def test_a_change_is_noticed():
    kept = sealed.seal(SECRET)
    other = "A" if kept[20] != "A" else "B"

    with pytest.raises(SecretUnreadable):
        sealed.unseal(kept[:20] + other + kept[21:])


def test_a_former_secret_key_still_opens_and_what_is_sealed_anew_needs_it_no_more(settings):
    kept, former = sealed.seal(SECRET), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = f"{former}-new", [former]

    read, anew = sealed.unseal(kept), sealed.seal(SECRET)
    settings.SECRET_KEY_FALLBACKS = []

    assert (read, sealed.unseal(anew)) == (SECRET, SECRET)
    assert (sealed.is_current(kept), sealed.is_current(anew)) == (False, True)
