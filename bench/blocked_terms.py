"""`make bench`: what a message costs that is compared with a thousand blocked terms; every answer is known beforehand."""

import random
import statistics
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from domain.streams.chat.terms.matching import BlockedTerms

TERMS, MESSAGES, LENGTH = 1_000, 10_000, 500
# One message of so many holds a term.
ONE_OF: Final = 10
# Microseconds a message on the average.
GOAL: Final = 50.0
LATIN: Final = ([*"bdfgklmnprstvz", "ch", "st", "tr"], list("aeiou"), ["", "n", "r", "s", "l"])
MARKED: Final = (list("bdfgklmnprstvzçñš"), list("äöüéèàaeiou"), ["", "n", "r", "ß", "l"])
CYRILLIC: Final = (list("бвгджзклмнпрст"), list("аеиоуы"), ["", "й", "н", "ш"])
SCRIPTS: Final = (LATIN, LATIN, LATIN, MARKED, CYRILLIC)

Dress = Callable[[str], str]
DRESSES: Final[dict[str, Dress]] = {
    "as it is": str,
    "large": str.upper,
    "spaced": " ".join,
    "dotted": ".".join,
    "marked": "\u0301".join,
    "with what can't be seen": "\u200b".join,
    "wide": lambda term: "".join(chr(ord(letter) + 0xFEE0) for letter in term),
    "in figures": lambda term: term[0] + term[1:].translate(str.maketrans("aeiost", "431057")),
    "in Cyrillic": lambda term: term[0] + term[1:].translate(str.maketrans("aeopcxy", "аеорсху")),
}


class Known(NamedTuple):
    """A message, and how the term that is in it is dressed; None where it holds none."""

    text: str
    dress: str | None


def words(dice: random.Random, script: Sequence[Sequence[str]]) -> Iterator[str]:
    """Made up, of three to five syllables: none is by chance what is left of another that was torn apart."""
    first, middle, last = script
    while True:
        yield "".join(dice.choice(first) + dice.choice(middle) for _ in range(dice.randint(3, 5))) + dice.choice(last)


def bare(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", word.casefold()) if letter.isalpha())


def some_terms(dice: random.Random) -> list[str]:
    found = dict[str, None]()
    for word in words(dice, LATIN):
        found[word] = None
        if len(found) == TERMS:
            break
    return list(found)


def messages(dice: random.Random, terms: Sequence[str]) -> Iterator[Known]:
    """Some words of each begin as a term does, and are none."""
    kinds = [words(dice, script) for script in SCRIPTS]
    known = set(terms)
    for number in range(MESSAGES):
        source, said = kinds[number % len(kinds)], [str(number)]
        while sum(map(len, said)) + len(said) < LENGTH:
            word = next(source)
            said.append(dice.choice(terms) + word if dice.random() < 0.05 else "x" * (bare(word) in known) + word)
        dress = None
        if number % ONE_OF == 0:
            dress = dice.choice(list(DRESSES))
            said.insert(1, DRESSES[dress](dice.choice(terms)))
        yield Known(" ".join(said)[:LENGTH], dress)


def main() -> None:
    dice = random.Random(1)
    terms = some_terms(dice)
    began = time.thread_time()
    blocked = BlockedTerms(terms)
    made = time.thread_time() - began
    # The last word may be cut to a term of its own: it is a number instead.
    all_known = [known._replace(text=known.text[: known.text.rindex(" ")].ljust(LENGTH, ".")) for known in messages(dice, terms)]
    took: list[float] = []
    for known in all_known:
        began = time.thread_time()
        answer = blocked.block(known.text)
        took.append((time.thread_time() - began) * 1e6)
        if answer != (known.dress is not None):
            sys.exit(f"WRONG: {known}")
    took.sort()
    mean = statistics.mean(took)
    verdict = "reached" if mean < GOAL else "MISSED"
    print(
        f"blocked terms: {MESSAGES:,} messages of {LENGTH} characters against {TERMS:,} terms, {MESSAGES // ONE_OF:,} of them hold one in "
        f"{len(DRESSES)} dresses, every answer right; {mean:.1f} µs a message, median {took[len(took) // 2]:.1f}, 99 of 100 within "
        f"{took[int(len(took) * 0.99)]:.1f} (goal {GOAL:.0f}: {verdict}); made in {made * 1e3:.1f} ms",
        flush=True,
    )
    if mean >= GOAL:
        sys.exit(1)


if __name__ == "__main__":
    main()
