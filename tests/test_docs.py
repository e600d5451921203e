"""What the documentation says exists, and what exists is documented."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from app.cli.parser import parser
from app.settings import Settings, environment_names
from app.telemetry.metrics import Metrics
from domain.calls.events import EventKind
from domain.calls.life_cycle import EndReason
from domain.errors import ActionError
from resolvers.run.database_refusals import _STATES, _WITHOUT_ITS_WORDS
from schema.types.call_event_kinds import CALL_EVENTS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
# The example of the how-to: files that its reader makes.
EXAMPLE = re.compile(r"note")
IN_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


def page(name: str) -> str:
    return (DOCS / name).read_text()


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row that begins with words in code."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


@cache
def tracked() -> frozenset[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return frozenset(listed.splitlines())


@cache
def schema_of_a_user() -> GraphQLSchema:
    return build_schema((ROOT / "schema" / "sdl" / "user.graphql").read_text(), assume_valid=True)


def in_each_page(pattern: str) -> list[tuple[str, str]]:
    """Each page's name with what its code samples say of the pattern's one group."""
    return [(file.name, found) for file in PAGES for code in IN_CODE.findall(file.read_text()) for found in re.findall(pattern, code)]


def test_every_kind_of_event_and_its_payload() -> None:
    kinds = page("events.md").partition("`reason` of `call_end`")[0]
    explained = {next(iter(words(cells[0]))): words(cells[1]) for cells in rows(kinds)}
    assert explained == {kind: fields.keys() - {"participantId"} for kind, fields in CALL_EVENTS.items()}
    assert CALL_EVENTS.keys() == set(get_args(EventKind))


def test_every_reason_of_an_end() -> None:
    reasons = page("events.md").partition("`reason` of `call_end`")[2].partition("## The cursor")[0]
    assert set().union(*(words(cells[0]) for cells in rows(reasons))) == set(get_args(EndReason))


def test_every_code_of_a_refusal() -> None:
    actions = {error.code for error in ActionError.__subclasses__()}
    code = [
        ROOT / name for name in tracked() if name.endswith(".py") and name.split("/")[0] in ("app", "domain", "permissions", "resolvers")
    ]
    raised = {found for file in code if file.exists() for found in re.findall(r'GraphQLRefusal\(\s*"([A-Za-z_-]+)"', file.read_text())}
    raised |= {code for code, _ in (*_STATES.values(), *_WITHOUT_ITS_WORDS.values())}
    of_tables = {next(iter(words(cells[0]))) for cells in rows(page("errors.md").partition("## Table fields")[2])}
    assert raised - actions - of_tables == set()
    assert of_tables - raised == set()


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", IN_CODE.sub("", file.read_text()))
    assert [link for link in links if "://" not in link and not (file.parent / link).exists()] == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_that_are_named_exist(file: Path) -> None:
    named = {word for code in IN_CODE.findall(file.read_text()) for word in re.findall(r"[\w./-]+\.(?:py|ya?ml|md|graphql|conf)\b", code)}
    known = {name for path in tracked() for name in (path, f"docs/{path}", path.rsplit("/", 1)[-1])}
    known |= {"/".join(path.split("/")[-depth:]) for path in tracked() for depth in (2, 3)}
    assert {name for name in named if name not in known and not EXAMPLE.search(name)} == set()


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert [said for said in in_each_page(r"(?:^|[`\s])make ([a-z-]*[a-z])") if said[1] not in targets] == []


def test_commands_exist() -> None:
    commands = set(re.findall(r"^    ([a-z]+)(?:  |$)", parser().format_help(), re.MULTILINE))
    assert commands >= {"serve", "dev", "token", "migrate", "status"}
    said = in_each_page(r"nchat-rtc ([a-z]+)")
    assert [one for one in said if one[1] not in commands] == []
    assert {command for name, command in said if name == "README.md"} == commands


def test_settings_that_are_named_exist() -> None:
    settings = {name for field in Settings.model_fields for name in environment_names(field)}
    settings |= {f"{name}_FILE" for name in settings} | {"NCHAT_DATA_DIR"}
    assert [said for said in in_each_page(r"\b(NCHAT_[A-Z_]*[A-Z])\b") if said[1] not in settings] == []


def exposed_metrics() -> dict[str, set[str]]:
    """The labels of each metric by the name that Prometheus stores: a counter's ends with `_total`."""
    metrics = Metrics()
    families = {family.name: family.type for family in metrics.registry.collect()}
    labels: dict[str, set[str]] = {}
    for collector, names in metrics.registry._collector_to_names.items():
        (name,) = families.keys() & set(names)
        stored = f"{name}_total" if families[name] == "counter" else name
        labels[stored] = set(getattr(collector, "_labelnames"))  # noqa: B009 - all of ours have them
    return labels


def rows_of_metrics() -> list[list[str]]:
    return list(rows(page("operations.md").partition("## Metrics")[2].partition("\n## ")[0]))


def test_metrics_and_their_labels_are_named() -> None:
    named = {metric: words(re.sub(r"\(.*?\)", "", cells[1])) for cells in rows_of_metrics() for metric in words(cells[0])}
    assert named == exposed_metrics()


@pytest.mark.parametrize("cells", rows_of_metrics(), ids=lambda cells: cells[0])
def test_every_metric_has_an_alert_or_a_reason_for_none(cells: list[str]) -> None:
    """An alert is an expression over the metric that uses no label which the metric lacks."""
    if cells[3].startswith("no alert: "):
        return
    labels = exposed_metrics()
    (expression,) = words(cells[3])
    used = re.findall(r"\b(nchat_\w+?)(?:_bucket|_count|_sum)?\b(?:\{([^}]*)\})?", expression)
    assert {name for name, _ in used} <= labels.keys()
    assert {name for name, _ in used} & words(cells[0])
    for name, selected in used:
        assert set(re.findall(r"(\w+)[!=]?[=~]", selected)) <= labels[name]
    grouped = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
    assert grouped <= {"le"}.union(*(labels[name] for name, _ in used))
    assert re.search(r"[<>=]=? ?[\d.]+", expression)


def test_log_lines_that_ask_for_attention() -> None:
    code = [
        ROOT / name for name in tracked() if name.endswith(".py") and name.startswith(("app/", "domain/", "permissions/", "resolvers/"))
    ]
    said = {found for file in code for found in re.findall(r'log\.(warning|error)\(\s*"(\w+)"', file.read_text())}
    table = page("operations.md").partition("## Log lines")[2].partition("\n## ")[0]
    assert {(cells[1], event) for cells in rows(table) for event in words(cells[0])} == said


def test_every_folder_is_introduced() -> None:
    folders = {path.split("/")[0] for path in tracked() if "/" in path and not path.startswith(".")}
    assert {folder for folder in folders if f"`{folder}/`" not in (ROOT / "README.md").read_text()} == set()


def test_every_room_has_its_row() -> None:
    """Of the service's own folders, with each of its files; tables and types are a file a noun, and named after it."""
    layers = ("app", "domain", "permissions", "resolvers", "schema")
    folders = {
        path.rsplit("/", 1)[0] + "/"
        for path in tracked()
        if path.endswith(".py") and path.startswith(tuple(f"{layer}/" for layer in layers))
    }
    table = page("architecture.md").partition("## The rooms")[2].partition("\n## ")[0]
    told = {room: words(cells[1]) for cells in rows(table) for room in words(cells[0])}
    assert {folder for folder in folders if folder not in told} == set()
    modules = {path for path in tracked() if path.endswith(".py") and not path.rsplit("/", 1)[1].startswith("__")}
    file_a_noun = ("schema/tables/", "schema/types/")
    rooms = set(told) - set(file_a_noun)
    assert {path for path in modules if (room := path.rsplit("/", 1)[0] + "/") in rooms and path[len(room) :] not in told[room]} == set()
    misplaced = {
        (room, file)
        for cells in rows(table)
        for file in words(cells[1])
        if file.endswith(".py") and not any(path.startswith(tuple(words(cells[0]))) and path.endswith(f"/{file}") for path in tracked())
        for room in words(cells[0])
    }
    assert misplaced == set()


def test_the_first_query_can_be_copied() -> None:
    block = re.search(r"```sh\n(curl .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    words_of_it = shlex.split(block[1].replace("\\\n", " "))
    assert "http://127.0.0.1:8000/v1/graphql" in words_of_it
    assert "Authorization: Bearer $(.venv/bin/nchat-rtc token --user alice)" in words_of_it
    body = json.loads(words_of_it[words_of_it.index("-d") + 1])
    assert validate(schema_of_a_user(), parse(body["query"])) == []


def graphql_samples() -> list[tuple[str, str]]:
    return [(file.name, sample) for file in PAGES for sample in re.findall(r"```graphql\n(.*?)```", file.read_text(), re.DOTALL)]


def test_there_are_samples() -> None:
    assert {name for name, _ in graphql_samples()} >= {"clients.md", "events.md"}


@pytest.mark.parametrize(("name", "sample"), graphql_samples())
def test_a_sample_fits_what_a_user_sees(name: str, sample: str) -> None:
    assert validate(schema_of_a_user(), parse(sample)) == [], name


def test_decisions_are_numbered_once() -> None:
    files = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert len(numbers) == len(set(numbers))
    assert [int(re.match(r"# (\d+)\. ", file.read_text())[1]) for file in files] == numbers  # type: ignore[index]
