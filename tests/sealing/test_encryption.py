"""Small secrets at rest: which key writes, which read, and what is never said."""

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet

from app.adapters.encryption import Encryption
from domain.ports import NoSealingKey, Unreadable


def new_key() -> str:
    return Fernet.generate_key().decode()


KEYS = Encryption([new_key()])


def test_the_first_key_writes_and_all_read() -> None:
    old, new = new_key(), new_key()
    stored = Encryption([old]).seal("secret")
    both = Encryption([new, old])
    assert both.reveal(stored) == "secret"
    assert Encryption([new]).reveal(both.seal("secret")) == "secret"
    with pytest.raises(Unreadable):
        Encryption([old]).reveal(both.seal("secret"))


def test_a_secret_moves_to_the_first_key_once() -> None:
    old, new = new_key(), new_key()
    stored = Encryption([old]).seal("secret")
    both = Encryption([new, old])
    resealed = both.reseal(stored)
    assert Encryption([new]).reveal(resealed) == "secret"
    with pytest.raises(Unreadable):
        Encryption([old]).reveal(resealed)
    assert both.reseal(resealed) == resealed
    with pytest.raises(Unreadable):
        Encryption([new]).reseal(stored)


def test_the_same_secret_never_looks_the_same_and_fits_its_column() -> None:
    assert KEYS.seal("secret") != KEYS.seal("secret")
    assert len(KEYS.seal("x" * 255)) <= 500


@pytest.mark.parametrize("spoiled", [lambda stored: stored[:-6] + "AAAAA=", lambda _: "", lambda _: "not sealed at all", lambda _: "ключ"])
def test_a_changed_value_is_not_read_and_not_quoted(spoiled: Callable[[str], str]) -> None:
    stored = spoiled(KEYS.seal("secret"))
    for use in (KEYS.reveal, KEYS.reseal):
        with pytest.raises(Unreadable) as error:
            use(stored)
        assert not stored or stored not in str(error.value)


def test_keys_are_checked_at_start_and_missed_when_needed() -> None:
    with pytest.raises(ValueError, match="32 bytes") as error:
        Encryption(["not-a-key"])
    assert "not-a-key" not in str(error.value)
    none = Encryption(())
    for use in (none.seal, none.reveal, none.reseal):
        with pytest.raises(NoSealingKey):
            use(KEYS.seal("secret"))
