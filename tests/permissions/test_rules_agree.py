"""Random rules let through the same rows in SQL, in Python with three truth values, and as row-level security."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from permissions.errors import GraphQLRefusal
from tests.permissions import evaluator
from tests.permissions.databases import Sample, document, table
from tests.permissions.random_rules import COLUMNS, SESSIONS, TABLES, databases, relationships, rules
from tests.permissions.row_security import READER, SETUP, policy
from tests.support.databases import Databases

Rows = dict[str, list[dict[str, Any]]]

# Always the same examples, no shrinking: a failing rule is small enough to read, and the suite has to end.
fixed = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Sample]:
    with databases.temporary() as url, Sample(url, TABLES + SETUP) as sample:
        yield sample


@st.composite
def ruled_tables(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(sorted(COLUMNS)))
    return name, draw(rules(name))


@pytest.mark.timeout(300)
@settings(fixed, max_examples=250)
@given(st.data())
def test_three_ways_to_decide_agree(office: Sample, data: st.DataObject) -> None:
    name, rule = data.draw(ruled_tables())
    rows = data.draw(databases())
    sessions = data.draw(st.lists(SESSIONS, min_size=1, max_size=2))
    transaction = office.connection.transaction()
    office.run(transaction.start())
    try:
        office.run(office.connection.execute(filled(rows) + policy(rule, name)))
        for session in sessions:
            expected = evaluator.visible(rule, name, rows, session)
            event(f"{'all' if len(expected) == len(rows[name]) else 'some' if expected else 'none'} of the rows")
            assert office.visible(_metadata(name, rule), name, session) == expected
            assert _through_policy(office, name, session) == expected
    finally:
        office.run(transaction.rollback())


@pytest.mark.timeout(300)
@settings(fixed, max_examples=100)
@given(ruled_tables())
def test_a_rule_refuses_a_session_without_its_variables(office: Sample, ruled: tuple[str, dict[str, Any]]) -> None:
    name, rule = ruled
    if "x-hasura-" in json.dumps(rule).lower():
        with pytest.raises(GraphQLRefusal):
            office.visible(_metadata(name, rule), name, {})
    else:
        office.visible(_metadata(name, rule), name, {})


def _metadata(name: str, rule: dict[str, Any]) -> dict[str, Any]:
    return document(*(table(each, rule if each == name else None, **relationships(each)) for each in COLUMNS))


def filled(rows: Rows) -> str:
    """Statements that insert the rows, in the order of the references."""
    inserts = (
        f"INSERT INTO public.{name} SELECT * FROM json_populate_recordset(NULL::public.{name}, '{_quoted(rows[name])}');"
        for name in ("team", "person", "task")
    )
    return "\n".join(inserts)


def _quoted(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows).replace("'", "''")


def _through_policy(office: Sample, name: str, session: Mapping[str, str]) -> list[int]:
    """The ids that PostgreSQL itself shows to a role under the policy."""
    for variable, value in session.items():
        office.run(office.connection.execute("SELECT set_config($1, $2, true)", f"rule.{variable.replace('-', '_')}", value))
    office.run(office.connection.execute(f"SET LOCAL ROLE {READER}"))
    found = office.run(office.connection.fetch(f"SELECT id FROM public.{name} ORDER BY id"))
    office.run(office.connection.execute("RESET ROLE"))
    return [row["id"] for row in found]
