"""What a page of the documentation tells its reader to do, in its order: code to put into files, and commands to run."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import dedent

# Code below a line that ends with a file's name; a block of changes names its files itself.
BLOCK = re.compile(
    r"(?:`(?P<file>[\w./*-]+)`:\n\n?)?(?P<code>^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```$)", re.S | re.M
)
# Commands that change or check the checkout; others are told of.
COMMAND = re.compile(r"`make ((?:revision|fix|golden|check)\b[^`]*)`")


@dataclass(frozen=True, slots=True)
class Command:
    """The arguments of `make`."""

    arguments: str


@dataclass(frozen=True, slots=True)
class Code:
    """`file` may hold a `*` for the number of a revision."""

    file: str
    language: str
    text: str

    def put_into(self, root: Path) -> None:
        """As the page says: a new file is given whole, one that is there gets what is new."""
        path = self._path(root)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else ""
        path.write_text(joined(before, self.text) if before and self.language == "python" else before + self.text)

    def _path(self, root: Path) -> Path:
        if "*" not in self.file:
            return root / self.file
        (found,) = root.glob(self.file)
        return found


@dataclass(frozen=True, slots=True)
class Changes:
    """Lines of one file: those that begin with a space stand there now, in one place, those with `-` go and those with `+` come."""

    file: str
    lines: tuple[str, ...]

    def put_into(self, root: Path) -> None:
        """AssertionError unless the lines stand in exactly one place of the file."""
        path = root / self.file
        text = path.read_text()
        old = "".join(f"{line[1:]}\n" for line in self.lines if line[0] != "+")
        new = "".join(f"{line[1:]}\n" for line in self.lines if line[0] != "-")
        places = [place.start() for place in re.finditer(f"^{re.escape(old)}", text, re.MULTILINE)]
        assert old and len(places) == 1, f"{self.file} holds {len(places)} times:\n{old}"
        path.write_text(text[: places[0]] + new + text[places[0] + len(old) :])


Step = Command | Code | Changes


def steps(page: str) -> Iterator[Step]:
    """All that is to be done, from the top down; AssertionError for code that belongs to no file."""
    at = 0
    for block in BLOCK.finditer(page):
        yield from commands(page[at : block.start("code")])
        text = dedent(block["text"])
        if block["language"] == "diff":
            yield from _changes(text)
        else:
            assert block["file"], text
            yield Code(block["file"], block["language"], text)
        at = block.end()
    yield from commands(page[at:])


def commands(prose: str) -> Iterator[Command]:
    yield from map(Command, COMMAND.findall(prose))


def _changes(text: str) -> Iterator[Changes]:
    """`+++` begins a file, `@@` another place of it."""
    file = ""
    for is_mark, group in groupby(text.splitlines(), key=lambda line: line.startswith(("+++ ", "@@"))):
        lines = tuple(line or " " for line in group)
        if not is_mark:
            yield Changes(file, lines)
        elif lines[-1] != "@@":
            file = lines[-1].removeprefix("+++ ")


def joined(module: str, code: str) -> str:
    """The module with the code's imports among its own, and its definitions in the place of their namesakes or at the end."""
    for node in ast.parse(code).body:
        lines = "\n".join(code.splitlines()[_first_line(node) - 1 : node.end_lineno]) + "\n"
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = _with_import(module, lines)
        else:
            assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef), lines
            module = _with_definition(module, node.name, lines)
    return module


def _with_import(module: str, statement: str) -> str:
    first = next(node.lineno for node in ast.parse(module).body if isinstance(node, ast.Import | ast.ImportFrom))
    lines = module.splitlines(keepends=True)
    return "".join([*lines[: first - 1], statement, *lines[first - 1 :]])


def _with_definition(module: str, name: str, definition: str) -> str:
    lines = module.splitlines(keepends=True)
    for node in ast.parse(module).body:
        if getattr(node, "name", None) == name:
            return "".join([*lines[: _first_line(node) - 1], definition, *lines[node.end_lineno :]])
    return f"{module}\n\n{definition}"


def _first_line(node: ast.stmt) -> int:
    """With its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
