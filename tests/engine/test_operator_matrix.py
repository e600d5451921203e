"""Every operator and aggregate on every kind of type, in `where` and in rules, compared with plain SQL."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from permissions.compiling.readable import readable
from permissions.session import Session
from schema.model import PgType, TableName
from schema.operators import INCOMPARABLE, OPERATORS, Operator
from schema.table_types.aggregate_types import EXTREMES, aggregated_columns
from schema.type_names import AGGREGATES, scalar_name
from tests.engine.debian import debian_server
from tests.engine.library import Library, library
from tests.engine.typed_things import EXTENDED, EXTENSIONS_SQL, TYPED, TYPES_SQL, Typed, quoted, table_sql
from tests.permissions.databases import DIALECT
from tests.support.databases import Databases
from tests.support.refusals import code_in

pytestmark = pytest.mark.anyio

THING = TableName("public", "thing")
USER = Session("user", {"x-hasura-least": "0"})
_PATTERNS = {"LIKE": ("a%", "z%"), "SIMILAR TO": ("(a|b)%", "z"), "~": ("^a", "^z")}


def operands(operator: Operator, typed: Typed) -> list[Any]:
    """What stands on the right side: one that fits a row, and one that fits none, as far as there is one."""
    if operator.operand == "flag":
        return [True, False]
    if operator.family == "text":
        kind = next(kind for kind in _PATTERNS if kind.lower() in operator.sql.lower().replace("ilike", "like"))
        return list(_PATTERNS[kind])
    if operator.right == "text":
        return ["a", "z"] if operator.operand == "value" else [["a", "c"], ["z"]]
    if operator.right == "jsonpath":
        return ["$.b[*] ? (@ > 1)", "$.z"] if operator.sql == "@?" else ["$.a == 1", "$.a == 2"]
    if operator.operand == "value":
        return [typed.one, typed.two]
    # Nothing is in an empty list, whatever can't be compared.
    return [[typed.one], [typed.two], *([] if typed.sql in INCOMPARABLE else [[]])]


def condition(column: str, operator: Operator, typed: Typed, operand: Any) -> str:
    """The same in SQL, by hand."""
    left = f"({column}::{typed.sql})"
    if operator.operand == "flag":
        return f"{column} IS {'' if operand else 'NOT '}NULL"
    if operator.family == "text":
        return f"{left} {operator.sql} {quoted(operand)}"
    if operator.right == "text":
        right = quoted(operand) if operator.operand == "value" else f"ARRAY[{', '.join(map(quoted, operand))}]::text[]"
        return f"{left} {operator.sql} {right}"
    if operator.right == "jsonpath":
        return f"{left} {operator.sql} {quoted(operand)}::jsonpath"
    if operator.operand == "value":
        return f"{left} {operator.sql} {quoted(typed.text(operand))}::{typed.sql}"
    each = operator.sql.split()[0]
    compared = [f"{left} {each} {quoted(typed.text(value))}::{typed.sql}" for value in operand]
    return f"({' AND '.join(compared) or 'true'})" if operator.name == "_nin" else f"({' OR '.join(compared) or 'false'})"


def _graphql(type_: PgType, operator: Operator) -> str:
    given = operator.given_type(type_)
    named = scalar_name(given.name)
    named = f"[{named}!]" if given.is_array else named
    return f"[{named}!]" if operator.operand == "list" else named


def _session_text(operator: Operator, typed: Typed, operand: Any) -> str:
    """A session variable's text for the right side."""
    values = operand if operator.operand == "list" else [operand]
    texts = [typed.text(value) if operator.right is None else str(value) for value in values]
    if operator.operand == "value":
        return texts[0]
    return "{" + ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + "}"


def cases(typed: Typed) -> Iterator[tuple[Operator, Any]]:
    bare = PgType(typed.sql.removesuffix("[]").strip('"').split('"')[-1], is_array=typed.sql.endswith("[]"))
    for operator in OPERATORS.values():
        if operator.takes(bare):
            for operand in operands(operator, typed):
                yield operator, operand


def _role(column: str, number: int, kind: str) -> str:
    return f"{column}_{number}_{kind}"


def metadata(path: Path, all_typed: Mapping[str, Typed]) -> Path:
    """The role `user` sees all by a rule; and for each case of a rule there is a role, with a literal and with a session variable."""
    roles: list[tuple[str, Any]] = [("user", {"id": {"_gt": "X-Hasura-Least"}})]
    for column, typed in all_typed.items():
        for number, (operator, operand) in enumerate(cases(typed)):
            if operator.operand != "flag" and typed.sql in INCOMPARABLE:
                continue
            roles.append((_role(column, number, "literal"), {column: {operator.name: operand}}))
            if operator.operand != "flag":
                roles.append((_role(column, number, "session"), {column: {operator.name: "X-Hasura-Value"}}))
    permissions = [{"role": role, "permission": {"columns": "*", "filter": rule, "allow_aggregations": True}} for role, rule in roles]
    source = {"name": "default", "kind": "postgres", "tables": [{"table": "thing", "select_permissions": permissions}]}
    path.write_text(json.dumps({"version": 3, "sources": [source]}))
    return path


@asynccontextmanager
async def _things(url: str, folder: Path, types: str, all_typed: Mapping[str, Typed]) -> AsyncIterator[Library]:
    connection = await asyncpg.connect(url)
    await connection.execute(types + table_sql(all_typed))
    await connection.close()
    async with library(url, metadata(folder / "metadata.json", all_typed)) as opened:
        assert [str(problem) for problem in opened.resolved.problems] == []
        yield opened


@pytest.fixture(scope="module")
async def things(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    with databases.temporary() as url:
        async with _things(url, tmp_path_factory.mktemp("matrix"), TYPES_SQL, TYPED) as opened:
            yield opened


@pytest.fixture(scope="module")
async def extended_things(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    with debian_server(tmp_path_factory.mktemp("debian")) as server:
        server.create_database("things")
        async with _things(server.database_url("things"), tmp_path_factory.mktemp("extended"), EXTENSIONS_SQL, EXTENDED) as opened:
            yield opened


async def by_hand(things: Library, where: str) -> list[int] | None:
    """The ids that SQL finds; None where PostgreSQL has no such operator."""
    try:
        found = await things.pool.fetch(f"SELECT id FROM thing WHERE {where} ORDER BY id")
    except asyncpg.UndefinedFunctionError:
        return None
    return [row["id"] for row in found]


async def by_where(things: Library, query: str, operand: Any, session: Session) -> list[int] | None:
    answer = await things.ask(query, {"v": operand}, session=session)
    if "errors" in answer:
        assert code_in(answer, query) == "not-supported", (query, operand, answer)
        return None
    return [row["id"] for row in answer["data"]["thing"]]


async def by_rule(things: Library, role: str, value: str) -> list[int]:
    rows = things.resolved.catalog[THING].table
    shown = readable(things.resolved.catalog, things.resolved.rules(role), Session(role, {"x-hasura-value": value}), THING)
    compiled = sa.select(rows.c.id).where(shown).order_by(rows.c.id).compile(dialect=DIALECT)
    parameters = [compiled.params[key] for key in compiled.positiontup or ()]
    return [row["id"] for row in await things.pool.fetch(str(compiled), *parameters)]


@pytest.mark.parametrize("column", TYPED)
async def test_operators(things: Library, column: str) -> None:
    await operators_agree(things, column, TYPED[column])


@pytest.mark.parametrize("column", EXTENDED)
async def test_operators_of_extensions(extended_things: Library, column: str) -> None:
    await operators_agree(extended_things, column, EXTENDED[column])


async def operators_agree(things: Library, column: str, typed: Typed) -> None:
    type_ = things.resolved.catalog[THING].columns[column].type
    found = set[tuple[int, ...]]()
    for number, (operator, operand) in enumerate(cases(typed)):
        expected = await by_hand(things, condition(column, operator, typed, operand))
        asked = f"where: {{{column}: {{{operator.name}: $v}}}}, order_by: {{id: asc}}"
        query = f"query ($v: {_graphql(type_, operator)}) {{ thing({asked}) {{ id }} }}"
        for session in (Session("admin"), USER):
            assert await by_where(things, query, operand, session) == expected, (session.role, operator.name, operand)
        if expected is None or (operator.operand != "flag" and typed.sql in INCOMPARABLE):
            continue
        for kind in ("literal",) if operator.operand == "flag" else ("literal", "session"):
            shown = await by_rule(things, _role(column, number, kind), _session_text(operator, typed, operand))
            assert shown == expected, (kind, operator.name, operand)
        found.add(tuple(expected))
    # Some are shown and some are not, or nothing was tried.
    assert len(found) > 1


@pytest.mark.parametrize("column", TYPED)
async def test_aggregates(things: Library, column: str) -> None:
    await aggregates_agree(things, column, TYPED[column])


@pytest.mark.parametrize("column", EXTENDED)
async def test_aggregates_of_extensions(extended_things: Library, column: str) -> None:
    await aggregates_agree(extended_things, column, EXTENDED[column])


async def aggregates_agree(things: Library, column: str, typed: Typed) -> None:
    table = things.resolved.catalog[THING]
    for function in AGGREGATES:
        offered = column in {one.name for one in aggregated_columns(table, function)}
        try:
            expected = json.loads(await things.value(f"SELECT to_json({function}({column}::{typed.sql}))::text FROM thing"))
        except asyncpg.UndefinedFunctionError:
            assert not offered or typed.sql == "uuid", function
            expected = typed.one if function == "min" else typed.two
        if not offered:
            # Hasura sums up numbers alone; what has a first and a last one is told in any case.
            assert function not in EXTREMES or typed.sql in INCOMPARABLE or await _lacks(things, function, column, typed), function
            continue
        query = f"{{ thing_aggregate {{ aggregate {{ {function} {{ {column} }} }} }} thing(order_by: {{{column}: desc}}) {{ id }} }}"
        for session in (Session("admin"), USER):
            answer = await things.ask(query, session=session)
            assert "errors" not in answer, (function, answer)
            assert answer["data"]["thing_aggregate"]["aggregate"][function][column] == expected, function


async def _lacks(things: Library, function: str, column: str, typed: Typed) -> bool:
    try:
        await things.value(f"SELECT {function}({column}::{typed.sql})::text FROM thing")
    except asyncpg.UndefinedFunctionError:
        return True
    return False
