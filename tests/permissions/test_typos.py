"""A slip of the pen anywhere in metadata that is wholly served stops the start, with the file and the line of the slip, or of the entry
around it: in the product's, and in a directory with every section and key that the product does not need.

Keys are misspelt, and names of files, tables, columns, functions, actions, operators, roles and relationships. What nobody can tell from
what is meant is left alone: names that are given here (of roles, relationships, computed fields, whatever is custom), session variables,
and texts that are values. Types of actions are those of the code, with which a test of their own compares them.
"""

import random
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import yaml

import resolvers.actions
from app.database.reflection import Reflected, reflect
from permissions.reading.metadata import MetadataError, load_metadata
from permissions.resolving.resolve import resolve
from resolvers.hand_written.action_fields import scan
from tests.permissions.every_section import SQL, write
from tests.support.databases import Databases

pytestmark = pytest.mark.anyio

METADATA = Path(__file__).parents[2] / "permissions" / "metadata"
TYPOS = 100
# Below these keys stand texts of the metadata's own, or names that may be any.
_FREE = {"role", "role_name", "comment", "custom_name", "custom_column_names", "prefix", "suffix", "query"}
# These are the values of what stands below, whose keys are known; and types that are derived from the code.
_FREE_BELOW = {"set", "custom_root_fields"}
_UNREAD = {"definition", "custom_types", "configuration"}
_GIVEN = {(kind, "name") for kind in ("object_relationships", "array_relationships", "computed_fields", "queries")}
_COMPARED_COLUMNS = {"_ceq", "_cgte"}
_INCLUDE = "!include "
_NAME = re.compile(r"[a-z][a-z0-9_]{3,}")


@dataclass(frozen=True, slots=True)
class Word:
    """A key or name of a file, by its place in the text; `lines` are its own and those on which what is around it begins."""

    file: Path
    lines: tuple[int, ...]
    start: int
    end: int
    text: str


def words(folder: Path) -> Iterator[Word]:
    for file in sorted(folder.rglob("*.yaml")):
        if (document := yaml.compose(file.read_text())) is not None:
            # What a file at the top holds is known by its name.
            section = file.stem if file.parent == folder else ""
            yield from _words(file, document, ("", section), ())


def _words(file: Path, node: yaml.Node, above: tuple[str, ...], lines: tuple[int, ...]) -> Iterator[Word]:
    """`above` are the keys that lead to the node."""
    lines = (*lines, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _word(file, key, lines)
            if not _is_unread(key.value, above):
                yield from _words(file, value, (*above, key.value), (*lines, key.start_mark.line + 1))
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from _words(file, entry, above, lines)
    elif not _is_free(above):
        yield from _word(file, node, lines)


def _is_unread(key: str, above: Sequence[str]) -> bool:
    """An action's own, and a source's connection."""
    of_action, of_source = above[-1] in ("actions", "custom_types"), above[1:] == ("",) and key == "configuration"
    return key in _UNREAD and (of_action or of_source)


def _is_free(above: tuple[str, ...]) -> bool:
    last, before = above[-1], above[-2]
    is_value = last.startswith("_") and last not in _COMPARED_COLUMNS
    names_itself = above[-2:] in _GIVEN or above in (("", "", "name"), ("", "query_collections", "name"))
    return last in _FREE or bool(_FREE_BELOW.intersection((last, before))) or is_value or names_itself or "custom_root_fields" in above


def _word(file: Path, node: yaml.Node, lines: tuple[int, ...]) -> Iterator[Word]:
    text = Path(node.value).stem if node.value.startswith(_INCLUDE) else node.value
    if _NAME.fullmatch(text.removeprefix(_INCLUDE).lstrip("_")) and node.tag == "tag:yaml.org,2002:str":
        place = (node.start_mark.index, node.end_mark.index)
        yield Word(file, (*lines, node.start_mark.line + 1), *place, text.removeprefix(_INCLUDE))


def misspelt(word: str, chance: random.Random) -> str:
    """With a letter lost, doubled or changed for its neighbour."""
    at = chance.randrange(1, len(word))
    wrong = [word[:at] + word[at + 1 :], word[:at] + word[at - 1] + word[at:], word[:at] + "q" + word[at + 1 :]]
    return chance.choice([text for text in wrong if text != word])


def places_told(folder: Path, reflected: Reflected, actions: Collection[str]) -> set[tuple[str, int]]:
    """Files and lines that a start is refused with; none where it begins."""
    try:
        resolve(load_metadata(folder), reflected.metadata, reflected.functions, strict=True, actions=actions)
    except MetadataError as error:
        return {(problem.position.file, problem.position.line) for problem in error.problems}
    return set()


def missed(folder: Path, seeded: Sequence[Word], reflected: Reflected, copies: Path, actions: Collection[str] = ()) -> list[str]:
    """The slips that were not told where they are, or around it."""
    chance, found = random.Random(11), []  # noqa: S311 - the same slips each time
    for number, word in enumerate(seeded):
        copy = copies / str(number)
        shutil.copytree(folder, copy)
        slip, file = misspelt(word.text, chance), copy / word.file.relative_to(folder)
        text = word.file.read_text()
        file.write_text(text[: word.start] + text[word.start : word.end].replace(word.text, slip) + text[word.end :])
        told = places_told(copy, reflected, actions)
        if not any(place == str(file) and line in word.lines for place, line in told):
            found.append(f"{word.file.name}:{word.lines[-1]}: {word.text} as {slip}: told at {sorted(told) or 'no place'}")
        shutil.rmtree(copy)
    return found


async def test_every_typo_is_told_with_its_file_and_line(database_url: str, tmp_path: Path) -> None:
    reflected, actions = await reflect(database_url), scan(resolvers.actions).names
    assert places_told(METADATA, reflected, actions) == set()
    every = list(words(METADATA))
    assert {word.file.name for word in every} >= {"databases.yaml", "tables.yaml", "actions.yaml", "version.yaml"}
    of_tables = [word for word in every if word.file.parent.name == "tables"]
    others = [word for word in every if word.file.parent.name != "tables"]
    chance = random.Random(11)  # noqa: S311
    seeded = [*chance.sample(of_tables, TYPOS - 20), *chance.sample(others, 20)]
    assert (found := missed(METADATA, seeded, reflected, tmp_path, actions)) == [], "\n".join(found)


async def test_in_every_section_and_key(databases: Databases, tmp_path: Path) -> None:
    folder = write(tmp_path / "metadata")
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        reflected = await reflect(url, load_metadata(folder).enum_tables)
        assert places_told(folder, reflected, ()) == set()
        every = list(words(folder))
        assert len(every) >= TYPOS
        assert (found := missed(folder, every, reflected, tmp_path)) == [], "\n".join(found)
        # A file that nobody reads is one too.
        for file in sorted(folder.glob("*.yaml")):
            if file.name != "version.yaml":
                misnamed = file.rename(file.with_stem(file.stem[:-1]))
                assert any(place == str(misnamed) for place, _ in places_told(folder, reflected, ())), file.name
                misnamed.rename(file)
