"""The shape of the repository: who imports whom, engine files without product names, small files, nothing of this machine."""

import ast
import re
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import schema

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ("schema", "permissions", "resolvers")
# Rooms of those that are the product's own.
PRODUCT = ("schema/tables", "schema/types", "permissions/metadata", "resolvers/actions")
# A folder with more is two rooms; in `schema/tables` each table has a file.
MAX_MODULES = 15
ONE_FILE_A_THING = ("schema/tables", "migrations/versions")
# GraphQL's root types, which every module of `resolvers/actions` names so; and vocabulary that a client sees as an enum or a type and the
# domain as plain words: one thing in two layers.
# A stream is a live one to people, and rows by a cursor to the engine.
SAME_IN_TWO_PLACES = {"Query", "Mutation", "Subscription", "Stream", "IceServer", "LeaveReason", "ShareType", "TrackKind"}
MAX_LINES = 400
MAX_MEDIAN = 150
MAX_FUNCTION = 50
# A word of the product in a file that serves any metadata.
PRODUCT_WORD = re.compile(r"nchat|livekit|participant|recording", re.IGNORECASE)
REGISTRY = re.compile(
    r"index[-]url|find-links|\"resolved\": *\"http|source = \{ registry|^registry *=|https?://[^ ]*(p[y]pi|npm[j]s)", re.MULTILINE
)


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def python_files() -> list[Path]:
    return tracked("*.py")


def product_code() -> list[Path]:
    return [path for path in python_files() if path.relative_to(ROOT).parts[0] not in ("tests", "bench", "migrations")]


def engine_files() -> list[Path]:
    return [path for path in tracked(*(f"{folder}/*.py" for folder in ENGINE)) if not name_of(path).startswith(PRODUCT)]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def layered_code() -> list[Path]:
    """The service itself, without the servers and people that stand in for real ones."""
    return tracked(*(f"{folder}/*.py" for folder in ("app", "domain", *ENGINE)))


def text_files() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path, path.read_text()
        except UnicodeDecodeError:
            continue


def test_each_folder_imports_only_what_stands_to_its_right() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", engine_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_engine_holds_no_name_of_the_product(path: Path) -> None:
    found = [f"{number}: {line.strip()}" for number, line in enumerate(path.read_text().splitlines(), 1) if PRODUCT_WORD.search(line)]
    assert found == []


def test_no_folder_holds_more_than_a_reader_takes_in() -> None:
    modules = Counter(name_of(path.parent) for path in product_code())
    assert {folder: number for folder, number in modules.items() if number > MAX_MODULES and folder not in ONE_FILE_A_THING} == {}


def test_every_room_says_what_comes_in_and_what_goes_out() -> None:
    rooms = [path for path in layered_code() if path.name == "__init__.py" and len(path.relative_to(ROOT).parts) > 2]
    said = {name_of(path): ast.get_docstring(ast.parse(path.read_text())) or "" for path in rooms}
    assert [name for name, text in said.items() if not ("In: " in text and "Out: " in text)] == []


def test_one_name_means_one_thing() -> None:
    where = defaultdict(set)
    for path in layered_code():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].add(name_of(path))
    assert {name: files for name, files in where.items() if len(files) > 1 and name not in SAME_IN_TWO_PLACES} == {}


def test_calls_are_calls_and_nothing_else() -> None:
    """`git ls-files '*calls*'`: LiveKit's requests and whatever else is called are not called so."""
    named = [name_of(path) for path in tracked("*calls*")]
    nouns = re.compile(r"(^|/)(test_)?(\w*nchat_|\d+_|incoming_|due_)?calls(/|\.\w+$)")
    assert [name for name in named if not nouns.search(name)] == []


def test_files_are_small() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in product_code()}
    assert {name: size for name, size in sizes.items() if size > MAX_LINES} == {}
    assert statistics.median(sizes.values()) <= MAX_MEDIAN


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"
        for path in product_code()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION
    ]
    assert long == []


def test_every_module_says_in_one_sentence_what_it_holds() -> None:
    sources = {path: path.read_text() for path in python_files()}
    silent = [str(path.relative_to(ROOT)) for path, text in sources.items() if text.strip() and not ast.get_docstring(ast.parse(text))]
    assert silent == []


def test_nothing_is_put_off() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b")
    own = Path(__file__)
    assert [str(path.relative_to(ROOT)) for path in product_code() if path != own and marks.search(path.read_text())] == []


def test_there_is_one_log_dialect() -> None:
    """structlog with event names: a sentence can't be counted, and a second logger loses the fields."""
    allowed = ROOT / "app" / "telemetry" / "logs.py"
    sources = {path: path.read_text() for path in product_code() if path != allowed and path.parent.name != "devstack"}
    assert [str(path.relative_to(ROOT)) for path, text in sources.items() if "logging.getLogger" in text] == []
    said = [found for text in sources.values() for found in re.findall(r"\blog\.(?:debug|info|warning|error)\(\s*(.+)", text)]
    assert said and [line for line in said if not re.match(r'"[a-z_]+"[,)]', line)] == []


def test_errors_of_a_response_are_read_in_one_place() -> None:
    """By key, a response without errors would fail a test with `KeyError: 'errors'`, which names no field."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: use tests/support/refusals.py"
        for path in tracked("tests/*.py")
        if path != ROOT / "tests" / "conformance" / "run.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == "errors"
    ]
    assert found == []


def test_no_file_is_a_drawer() -> None:
    drawers = re.compile(r"(^|_)(utils?|helpers?|manager|misc|common)$")
    assert [str(path.relative_to(ROOT)) for path in python_files() if drawers.search(path.stem) or drawers.search(path.parent.name)] == []


def test_no_registry_and_no_path_of_a_machine_is_written_down() -> None:
    machine = re.compile(r"/(?:root|home/\w+)/")
    found = []
    for path, text in text_files():
        if path == Path(__file__) or "dist" in path.parts:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for pattern in (REGISTRY, machine) if (match := pattern.search(text))]
    assert found == []


def test_requirements_are_pinned_and_hashed_and_hold_no_schema_package() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        entries = re.split(r"\n(?=\S)", text.strip())
        assert [
            entry for entry in entries if not re.match(r"[a-z0-9][\w.-]*(\[[\w,-]+\])?==\S+", entry) or "--hash=sha256:" not in entry
        ] == []
        assert not re.search(r"^schema==", text, re.MULTILINE)


def test_the_schema_package_is_ours() -> None:
    assert schema.__file__ is not None
    assert Path(schema.__file__).resolve().is_relative_to(ROOT)


def test_nobody_shadows_the_livekit_sdk() -> None:
    assert not (ROOT / "livekit").exists()
    assert not (ROOT / "livekit.py").exists()
