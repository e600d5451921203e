"""A channel's blocked terms as one automaton, and whether a message holds one of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ahocorasick_rs import AhoCorasick

from domain.streams.chat.terms import folding
from domain.streams.chat.terms.folding import SPACE, Spelling
from domain.streams.chat.terms.look_alikes import READ_AS, alike

# A shorter one that is torn apart is two words: "I a".
TORN_FROM: Final = 3
# Letters of the pieces that a word is torn into; a longer one may be one of them if the others are single letters.
SHORT: Final = 2


@dataclass(frozen=True, slots=True)
class Term:
    """The letters of a blocked term, and the places among them where it may be torn: those of its own spaces."""

    letters: str
    open_at: frozenset[int]

    @classmethod
    def of(cls, words: list[str]) -> "Term":
        return cls("".join(words), frozenset(folding.edges(words)))


class BlockedTerms:
    """Made once of a channel's terms, and asked for each message: some microseconds a message, whatever the number of terms."""

    def __init__(self, terms: Iterable[str]) -> None:
        normal = [folding.normal(term) for term in terms]
        of_letters: dict[str, list[Term]] = {}
        signs = set[str]()
        for term in normal:
            made = Term.of(folding.words(term))
            if _is_of_signs(term, made):
                signs.add(folding.visible(term).strip())
            elif made.letters:
                of_letters.setdefault(folding.skeleton(term), []).append(made)
        self._terms: Sequence[Sequence[Term]] = list(of_letters.values())
        self._letters = AhoCorasick(list(of_letters))
        self._signs = AhoCorasick(list(signs)) if signs else None

    def block(self, message: str) -> bool:
        """Whether the message holds a term, as a word or words of its own, however it is written."""
        text = folding.normal(message)
        if self._signs is not None and self._signs.find_matches_as_indexes(folding.visible(text)):
            return True
        found = self._letters.find_matches_as_indexes(folding.skeleton(text), overlapping=True)
        return bool(found) and self._any_holds(found, text)

    def _any_holds(self, found: Sequence[tuple[int, int, int]], text: str) -> bool:
        """Most of what is found are letters inside of other words: class."""
        edges = folding.edges(folding.words(text))
        whole = [(place, start) for place, start, end in found if start in edges and end in edges]
        if not whole:
            return False
        spelling = folding.spelling(text)
        return any(_holds(spelling, start, term) for place, start in whole for term in self._terms[place])


def _is_of_signs(term: str, made: Term) -> bool:
    """Without its signs it would be nothing, or a letter alone: an emoji, c++."""
    return len(made.letters) < 2 and folding.visible(term).strip() != made.letters


def _holds(spelling: Spelling, start: int, term: Term) -> bool:
    end = start + len(term.letters)
    written = spelling.letters[start:end]
    return _is_one(spelling.gaps[start:end], term) and _reads_as(written, term.letters, spelling.letters)


def _is_one(gaps: Sequence[str], term: Term) -> bool:
    """Whether the letters belong together although there may be spaces between them: b a d and ba d, but not "pen is"."""
    pieces, last = [], 0
    for place, gap in enumerate(gaps):
        if place and gap == SPACE and place not in term.open_at:
            pieces.append(place - last)
            last = place
    if not pieces:
        return True
    pieces.append(len(gaps) - last)
    long = sum(piece > 1 for piece in pieces)
    return len(gaps) >= TORN_FROM and (long <= 1 or max(pieces) <= SHORT)


def _reads_as(written: str, letters: str, message: str) -> bool:
    """Whether what is written may be read as the term: with at least one letter as it is, or all of it in letters of another script
    that nothing else in the message needs."""
    if not all(map(alike, written, letters)):
        return False
    if written == letters or any(one == other and one.isalpha() for one, other in zip(written, letters, strict=True)):
        return True
    return letters.isascii() and any(map(str.isalpha, written)) and not any(map(_is_of_no_latin_shape, message))


def _is_of_no_latin_shape(letter: str) -> bool:
    return letter.isalpha() and not letter.isascii() and letter not in READ_AS
