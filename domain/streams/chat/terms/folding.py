"""A text as it is compared: letters without case, marks and what can't be seen, and how far they stand apart."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from domain.streams.chat.terms.look_alikes import READ_AS, STAND_INS

# Between letters: what may stand within a word, and what parts words. Both are white space for `split`.
NEAR, SPACE = "\x1f", " "
GAPS: Final = re.compile(f"([{NEAR}{SPACE}]+)")
# Blank, although they count as letters or symbols.
BLANKS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Signs that are a letter within a word (sh!t), and the large I beside small letters: an i or an l.
I_OR_L: Final = re.compile(r"[!|I](?:(?<=[^\W_][!|])(?=[^\W_])|(?<=I)(?=[a-z])|(?<=[a-z]I))")
# Scripts that write no spaces between words, or tie endings to them: each of their characters may begin a word.
UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
# Their vowels are marks for Unicode.
WITH_VOWEL_MARKS: Final = range(0x0900, 0x1800)


class _Folds(dict[int, str | None]):
    """For `str.translate`: each character is looked at once. What becomes of none is None, which is quicker than an empty text."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, code: int) -> str | None:
        folded = self[code] = self._fold(chr(code)) or None
        return folded


@dataclass(frozen=True, slots=True)
class Spelling:
    """The letters of a text as they were written, with what stands before each of them: nothing, NEAR, or SPACE."""

    letters: str
    gaps: tuple[str, ...]


def normal(text: str) -> str:
    """In Unicode's compatibility form (NFKC), and what is an i or an l as a sign for both."""
    normalized = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return I_OR_L.sub("ı", normalized)


def words(text: str) -> list[str]:
    """The letters of a normal text, between whatever separates them."""
    return text.translate(_PLAIN).split()


def skeleton(text: str) -> str:
    """The letters of a normal text without what separates them, and the same for all that may be read as each other."""
    return text.translate(_SKELETON)


def edges(words: list[str]) -> set[int]:
    """Where words begin and end among all their letters, and so in the skeleton."""
    return {0, *accumulate(map(len, words))}


def spelling(text: str) -> Spelling:
    """A normal text letter by letter."""
    first, *others = GAPS.split(text.translate(_PLAIN))
    letters = "".join((first, *others[1::2]))
    gaps, place = [""] * len(letters), len(first)
    for gap, word in zip(others[::2], others[1::2], strict=True):
        if word:
            gaps[place] = max(gap)
        place += len(word)
    return Spelling(letters, tuple(gaps))


def visible(text: str) -> str:
    """A normal text without case and without what can't be seen, everything else as it is: for signs that are no letters."""
    return text.casefold().translate(_VISIBLE)


def is_blank(text: str) -> bool:
    """Whether there is nothing to be seen."""
    return not visible(text).strip()


def _plain(sign: str) -> str:
    if not _shown(sign):
        return SPACE if sign.isspace() or unicodedata.category(sign) == "Cc" else ""
    if sign in READ_AS and not sign.isalnum():
        return f"{NEAR}{sign}{NEAR}" if sign in STAND_INS else READ_AS[sign]
    letters = "".join(filter(_is_letter, unicodedata.normalize("NFC", _without_marks(sign.casefold()))))
    if not letters:
        return NEAR
    return f"{NEAR}{letters}{NEAR}" if UNSPACED.match(letters) else letters


def _without_marks(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if _shown(sign))


def _is_letter(sign: str) -> bool:
    return sign.isalnum() or unicodedata.category(sign).startswith("M")


def _shown(sign: str) -> bool:
    """Whether it takes room of its own: no white space, control or format character, and no mark above or below a letter."""
    category = unicodedata.category(sign)
    if category in ("Mn", "Me"):
        return ord(sign) in WITH_VOWEL_MARKS and unicodedata.combining(sign) == 0
    return category[0] not in "CZ" and sign not in BLANKS


def _visible(sign: str) -> str:
    return sign if _shown(sign) else SPACE * sign.isspace()


def _one_of_alikes(sign: str) -> str:
    letters = [READ_AS.get(letter, letter)[0] for letter in _plain(sign) if letter not in (NEAR, SPACE)]
    return "".join(letters).replace("l", "i")


_PLAIN: Final = _Folds(_plain)
_VISIBLE: Final = _Folds(_visible)
_SKELETON: Final = _Folds(_one_of_alikes)
