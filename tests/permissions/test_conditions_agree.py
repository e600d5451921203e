"""Random conditions of a caller under random rules find the same rows in the engine as in Python, wherever the rule has to come first."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.permissions import evaluator
from tests.permissions.databases import ROLE, Sample, document, table
from tests.permissions.random_conditions import conditions
from tests.permissions.random_rules import COLUMNS, RELATIONSHIPS, SESSIONS, TABLES, databases, relationships, rules
from tests.permissions.test_rules_agree import Rows, filled, fixed
from tests.support.databases import Databases
from tests.support.unshared import AskedTwice

# Relationships that are lists in the metadata.
LISTS = {"team": ["people", "leader"], "person": ["reports", "tasks", "helped", "peers"]}


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Sample]:
    with databases.temporary() as url, Sample(url, TABLES) as sample:
        yield sample


class OneConnection:
    """The sample's connection as the engine's database; nothing is written."""

    def __init__(self, sample: Sample) -> None:
        self._connection = sample.connection

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        answer: str = await self._connection.fetchval(sql, *arguments)
        return answer.encode()

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        return [tuple(row) for row in await self._connection.fetch(sql, *arguments)]

    def transaction(self) -> Any:
        raise AssertionError("nothing is written")


@pytest.mark.timeout(300)
@settings(fixed, max_examples=100)
@given(st.data())
def test_what_is_found_is_visible_and_asked_for(office: Sample, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(LISTS)))
    inner = data.draw(st.sampled_from(LISTS[name]))
    target, own, theirs = RELATIONSHIPS[name][inner]
    ruled = {each: data.draw(st.just({}) | rules(each, depth=2)) for each in COLUMNS}
    session, rows = data.draw(SESSIONS), data.draw(databases())
    asked, asked_inside = data.draw(conditions(name)), data.draw(conditions(target, depth=2))
    sorted_by = data.draw(st.sampled_from(sorted(COLUMNS[name])))

    seen = {each: _only(rows[each], evaluator.visible(ruled[each], each, rows, session)) for each in COLUMNS}
    expected = {
        row["id"]: {
            other["id"]
            for other in _only(seen[target], evaluator.visible(asked_inside, target, seen, {}))
            if row[own] is not None and row[own] == other[theirs]
        }
        for row in _only(seen[name], evaluator.visible(asked, name, seen, {}))
    }
    event(f"{'all' if len(expected) == len(rows[name]) else 'some' if expected else 'none'} of the rows")
    query = f"query ($w: {name}_bool_exp!, $i: {target}_bool_exp!) "
    query += f"{{ {name}(where: $w, order_by: {{{sorted_by}: asc}}) {{ id {inner}(where: $i) {{ id }} }} }}"
    found = _answer(office, rows, ruled, Request(query, {"w": asked, "i": asked_inside}), Session(ROLE, session))
    assert {row["id"]: {other["id"] for other in row[inner]} for row in found["data"][name]} == expected


def _only(rows: list[dict[str, Any]], ids: list[int]) -> list[dict[str, Any]]:
    return [row for row in rows if row["id"] in ids]


def _answer(office: Sample, rows: Rows, ruled: dict[str, Any], request: Request, session: Session) -> Any:
    resolved = office.resolved(document(*(table(each, ruled[each], **relationships(each)) for each in COLUMNS)))
    engine = Engine.build(resolved.catalog, resolved.roles, AskedTwice(OneConnection(office)))
    transaction = office.connection.transaction()
    office.run(transaction.start())
    try:
        office.run(office.connection.execute(filled(rows)))
        return json.loads(office.run(engine.execute(request, session)).body)
    finally:
        office.run(transaction.rollback())
