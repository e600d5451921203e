"""Sessions that are asked for together have what each has alone, byte for byte: random rules, rows and sessions in one cohort."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.live.looks import Looks
from resolvers.sql.database import NOBODY, DatabaseError
from resolvers.sql.live_plan import as_json
from tests.permissions.databases import ROLE, Sample, document, table
from tests.permissions.random_conditions import conditions
from tests.permissions.random_rules import COLUMNS, RELATIONSHIPS, SESSIONS, TABLES, databases, relationships, rules
from tests.permissions.test_conditions_agree import LISTS, OneConnection
from tests.permissions.test_rules_agree import filled, fixed
from tests.support.databases import Databases
from tests.support.unshared import Unshared


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Sample]:
    with databases.temporary() as url, Sample(url, TABLES) as sample:
        yield sample


class Counted(OneConnection):
    """How many statements found rows for live queries."""

    looks = 0

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        self.looks += 1
        return await super().fetch_rows(sql, arguments)


class Asking:
    """`resolvers.live.member.Member` that keeps what it was answered."""

    def __init__(self, own: Sequence[str | None]) -> None:
        self.own, self.askers = as_json(own), [NOBODY]
        self.took, self.size, self.alone = 0.0, 0, False
        self.answers: list[bytes] = []

    def begin(self) -> int:
        return 1

    def answer(self, _number: int, body: bytes | str, _progress: object = None, _epoch: object = None) -> None:
        self.answers.append(body if isinstance(body, bytes) else body.encode())

    def refuse(self, _number: int, error: DatabaseError) -> None:
        raise error

    def end(self, refused: BaseException) -> None:
        raise refused


@pytest.mark.timeout(300)
@settings(fixed, max_examples=15)
@given(st.data())
def test_a_cohort_gives_each_session_what_it_has_alone(office: Sample, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(LISTS)))
    inner = data.draw(st.sampled_from(LISTS[name]))
    target = RELATIONSHIPS[name][inner][0]
    ruled = {each: data.draw(st.just({}) | rules(each, depth=2)) for each in COLUMNS}
    sessions = [Session(ROLE, variables) for variables in data.draw(st.lists(SESSIONS, min_size=2, max_size=6))]
    given_ = {"w": data.draw(conditions(name)), "i": data.draw(conditions(target, depth=2))}
    query = f"($w: {name}_bool_exp!, $i: {target}_bool_exp!) "
    query += f"{{ {name}(where: $w, order_by: {{id: asc}}) {{ id {inner}(where: $i) {{ id }} }} }}"
    resolved = office.resolved(document(*(table(each, ruled[each], **relationships(each)) for each in COLUMNS)))
    connection = Counted(office)
    engine = Engine.build(resolved.catalog, resolved.roles, Unshared(connection))

    async def answers() -> tuple[list[bytes], list[bytes]]:
        alone = [(await engine.execute(Request(f"query {query}", given_), session)).body for session in sessions]
        found = [await engine.live_query(Request(f"subscription {query}", given_), session) for session in sessions]
        lives = [live for live in found if live is not None]
        plan, shared = lives[0].plan, lives[0].shared
        assert {(live.plan.sql, live.shared) for live in lives} == {(plan.sql, shared)}
        asking = [Asking(live.own) for live in lives]
        await Looks(plan, shared, Unshared(connection)).all(asking)
        return alone, [one.answers.pop() for one in asking]

    transaction = office.connection.transaction()
    office.run(transaction.start())
    try:
        office.run(office.connection.execute(filled(data.draw(databases()))))
        alone, together = office.run(answers())
    finally:
        office.run(transaction.rollback())
    assert connection.looks == 1
    assert together == alone
    assert "errors" not in json.loads(alone[0])
    event(f"{len(set(alone))} different answers")
