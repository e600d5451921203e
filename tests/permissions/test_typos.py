"""A slip of the pen anywhere in the product's metadata stops the start, with the file and the line of the slip, or of the entry around it.

Keys are misspelt, and names of tables, columns, functions, operators and relationships. What nobody can tell from what is meant is left
alone: names that are given here (of roles, relationships, computed fields), session variables, and texts that are values.
"""

import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from app.database.reflection import reflect
from permissions.reading.metadata import MetadataError, load_metadata
from permissions.resolving.resolve import resolve

pytestmark = pytest.mark.anyio

METADATA = Path(__file__).parents[2] / "permissions" / "metadata"
TYPOS = 100
# Below these keys stand texts of the product's own, or names that may be any.
_FREE = {"role", "comment", "set"}
_GIVEN = {(kind, "name") for kind in ("object_relationships", "array_relationships", "computed_fields")}
_NAME = re.compile(r"[a-z][a-z0-9_]{3,}")


@dataclass(frozen=True, slots=True)
class Word:
    """A key or name of a file, by its place in the text; `lines` are its own and those on which what is around it begins."""

    file: Path
    lines: tuple[int, ...]
    start: int
    end: int
    text: str


def words() -> Iterator[Word]:
    for file in sorted(METADATA.rglob("public_*.yaml")):
        if (document := yaml.compose(file.read_text())) is not None:
            yield from _words(file, document, ("",), ())


def _words(file: Path, node: yaml.Node, above: tuple[str, ...], lines: tuple[int, ...]) -> Iterator[Word]:
    """`above` are the keys that lead to the node."""
    lines = lines if above == ("",) else (*lines, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if above[-1] != "set":
                yield from _word(file, key, lines)
            yield from _words(file, value, (*above, key.value), (*lines, key.start_mark.line + 1))
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from _words(file, entry, above, lines)
    elif above[-1] not in _FREE and not above[-1].startswith("_") and above[-2:] not in _GIVEN:
        yield from _word(file, node, lines)


def _word(file: Path, node: yaml.Node, lines: tuple[int, ...]) -> Iterator[Word]:
    if _NAME.fullmatch(node.value.lstrip("_")) and node.tag == "tag:yaml.org,2002:str":
        yield Word(file, (*lines, node.start_mark.line + 1), node.start_mark.index, node.end_mark.index, node.value)


def misspelt(word: str, chance: random.Random) -> str:
    """With a letter lost, doubled or changed for its neighbour."""
    at = chance.randrange(1, len(word))
    wrong = [word[:at] + word[at + 1 :], word[:at] + word[at - 1] + word[at:], word[:at] + "q" + word[at + 1 :]]
    return chance.choice([text for text in wrong if text != word])


async def test_every_typo_is_told_with_its_file_and_line(database_url: str, tmp_path: Path) -> None:
    reflected = await reflect(database_url)
    chance, every = random.Random(11), list(words())  # noqa: S311 - the same slips each time
    seeded = chance.sample(every, TYPOS)
    missed = []
    for number, word in enumerate(seeded):
        copy = tmp_path / str(number)
        shutil.copytree(METADATA, copy)
        slip, file = misspelt(word.text, chance), copy / word.file.relative_to(METADATA)
        text = word.file.read_text()
        file.write_text(text[: word.start] + text[word.start : word.end].replace(word.text, slip) + text[word.end :])
        try:
            resolve(load_metadata(copy), reflected.metadata, reflected.functions, strict=True)
            told = set()
        except MetadataError as error:
            told = {(problem.position.file, problem.position.line) for problem in error.problems}
        if not any(place == str(file) and line in word.lines for place, line in told):
            missed.append(f"{word.file.name}:{word.lines[-1]}: {word.text} as {slip}: told at {sorted(told) or 'no place'}")
    assert not missed, "\n".join(missed)
