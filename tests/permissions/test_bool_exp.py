"""Conditions where they stand in a statement: aliases, the root of a rule, RETURNING, and what the planner gets to see."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from permissions.compiling.bool_exp import condition
from permissions.compiling.readable import readable
from permissions.expressions import (
    And,
    Bound,
    Compare,
    CompareColumns,
    Constant,
    Expression,
    Operand,
    Progress,
    Related,
    Rule,
    SessionVariable,
    WholeSession,
)
from permissions.session import Session
from schema.model import Catalog, TableName
from tests.permissions.databases import DIALECT, ROLE, Sample, document, table
from tests.permissions.random_rules import COLUMNS, TABLES, relationships
from tests.support.databases import Databases

PERSON, TASK = TableName("public", "person"), TableName("public", "task")
ROWS = """
INSERT INTO team VALUES (1, 'red', 1, 3), (2, 'blue', NULL, 1);
INSERT INTO person (id, team_id, manager_id, age, active) VALUES (1, 1, NULL, 50, true), (2, 1, 1, 60, true), (3, 2, 2, 40, false);
INSERT INTO task VALUES (1, 1, NULL, 3, 'a'), (2, 2, 3, 50, 'b'), (3, 3, NULL, 1, NULL);
"""


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Sample]:
    with databases.temporary() as url, Sample(url, TABLES + ROWS) as sample:
        yield sample


def metadata(**ruled: Any) -> dict[str, Any]:
    return document(*(table(name, ruled.get(name), **relationships(name)) for name in COLUMNS))


def bound(operand: Operand) -> sa.ColumnElement[str]:
    """Parameters named after their operands."""
    match operand:
        case Constant(value):
            return sa.literal(value, sa.Text())
        case SessionVariable(name):
            return sa.bindparam(name, type_=sa.Text())
        case Bound() | Progress():
            return sa.bindparam(operand.key, type_=sa.Text())
        case WholeSession():
            return sa.bindparam("session", type_=sa.Text())


def text(expression: Expression, catalog: Catalog, name: TableName) -> str:
    tracked = catalog[name]
    compiled = condition(expression, tracked, tracked.table.alias("it"), bound, catalog).compile(dialect=DIALECT)
    return " ".join(str(compiled).split())


def test_a_rule_on_an_alias_speaks_of_that_alias(office: Sample) -> None:
    served = office.resolved(metadata(person={"reports": {"age": {"_gt": 50}}}))
    tracked = served.catalog[PERSON]
    older, person = tracked.table.alias(), tracked.table
    rule = served.rules(ROLE).select[PERSON].filter
    found = sa.select(person.c.id).where(person.c.id != older.c.id, condition(rule, tracked, older, bound, served.catalog)).distinct()
    assert office.ids(found.order_by(person.c.id)) == [2, 3]


def test_readable_stands_on_a_model_of_the_same_table(office: Sample) -> None:
    served = office.resolved(metadata(person={"tasks": {"points": {"_eq": "X-Hasura-Points"}}}))
    model = sa.table("person", sa.column("id"), sa.column("team_id"))
    condition_ = readable(served.catalog, served.rules(ROLE), Session(ROLE, {"x-hasura-points": "50"}), PERSON, model)
    assert office.ids(sa.select(model.c.id).where(condition_)) == [2]


def test_readable_without_a_permission_is_false(office: Sample) -> None:
    served = office.resolved(metadata())
    assert (
        office.ids(sa.select(served.catalog[PERSON].table.c.id).where(readable(served.catalog, served.rules(ROLE), Session(ROLE), PERSON)))
        == []
    )


def test_the_root_of_a_rule_is_the_table_it_stands_on(office: Sample) -> None:
    # Inside a `where` over task, the rule of its owner compares with the owner, not with the task.
    catalog = office.resolved(metadata()).catalog
    younger_report = Related("reports", CompareColumns("age", "_clt", "age", of_root=True))
    tracked = catalog[TASK]
    expression = Related("owner", And((Rule(younger_report), Compare("id", "_gt", Bound("least")))))
    where = condition(expression, tracked, tracked.table, lambda _: sa.literal("1", sa.Text()), catalog)
    assert office.ids(sa.select(tracked.table.c.id).where(where)) == [2]


def test_a_check_in_returning_speaks_of_the_inserted_row_alone(office: Sample) -> None:
    catalog = office.resolved(metadata()).catalog
    tracked = catalog[TASK]
    check = condition(Related("owner", Compare("active", "_eq", Constant(True))), tracked, tracked.table, bound, catalog)
    insert = sa.insert(tracked.table).values(id=sa.text("9"), owner_id=sa.text("3"), points=sa.text("1"))
    statement = str(insert.returning(check.label("allowed")).compile(dialect=DIALECT))
    transaction = office.connection.transaction()
    office.run(transaction.start())
    assert office.run(office.connection.fetchval(statement)) is False
    office.run(transaction.rollback())


def test_a_proven_table_in_the_middle_is_left_out(office: Sample) -> None:
    colleagues = Related("team", Related("people", Compare("age", "_eq", Bound("age"))))
    found = text(colleagues, office.resolved(metadata()).catalog, PERSON)
    assert 'FROM public.person AS "0_asked_1" WHERE ("0_asked_1".team_id = it.team_id) AND ("0_asked_1".age = ' in found
    assert "public.team" not in found


@pytest.mark.parametrize(
    "kept",
    [
        # `lead` has no foreign key, `helper` is compared itself, and a rule may stand in the middle.
        Related("team", Related("leader", Compare("age", "_eq", Bound("age")))),
        Related("team", And((Compare("size", "_eq", Bound("age")), Related("people", And())))),
        Related("team", And((Rule(Compare("size", "_eq", Bound("age"))), Related("people", And())))),
    ],
)
def test_a_table_in_the_middle_stays_without_proof(office: Sample, kept: Expression) -> None:
    assert "public.team" in text(kept, office.resolved(metadata()).catalog, PERSON)


def test_a_deferrable_foreign_key_proves_nothing(empty_database_url: str) -> None:
    deferrable = "ALTER TABLE person ALTER CONSTRAINT person_team_id_fkey DEFERRABLE"
    with Sample(empty_database_url, TABLES + deferrable) as office:
        colleagues = Related("team", Related("people", And()))
        assert "public.team" in text(colleagues, office.resolved(metadata()).catalog, PERSON)


def test_values_are_parameters_and_lists_are_one_of_them(office: Sample) -> None:
    catalog = office.resolved(metadata()).catalog
    assert text(Compare("age", "_in", Constant([1, 2])), catalog, PERSON) == 'it.age = ANY (CAST($1::VARCHAR AS "int4"[]))'
    assert text(Compare("nick", "_eq", Constant("' OR true --")), catalog, PERSON) == 'it.nick = CAST($1::VARCHAR AS "text")'
    assert text(Compare("active", "_is_null", Bound("flag")), catalog, PERSON) == '(it.active IS NULL) = CAST($1::VARCHAR AS "bool")'


def test_constants_of_closed_types_stand_in_the_statement(office: Sample) -> None:
    catalog = office.resolved(metadata()).catalog
    assert text(Compare("active", "_eq", Constant(True)), catalog, PERSON) == "it.active = CAST('true' AS \"bool\")"
    assert text(Compare("mood", "_eq", Constant("sad")), catalog, PERSON) == "it.mood = CAST('sad' AS \"mood\")"
    assert text(Compare("mood", "_eq", Constant("sad' OR true --")), catalog, PERSON) == 'it.mood = CAST($1::VARCHAR AS "mood")'
