"""Whose fault a refusal is: one who attacks pages nobody."""

import pytest

from app.telemetry.faults import fault_of
from permissions.errors import GraphQLRefusal
from resolvers.sql.database import QUERY_CANCELED, DatabaseError, GaveWay, TookTooLong


@pytest.mark.parametrize(
    ("cause", "fault"),
    [
        (GaveWay(), "client"),
        (TookTooLong("the query took longer than 5 s"), "client"),
        (DatabaseError(QUERY_CANCELED, "the database took too long to answer"), "server"),
    ],
    ids=["gave way", "took too long", "no answer"],
)
def test_a_time_limit_is_the_servers_fault_only_when_the_server_is_silent(cause: DatabaseError, fault: str) -> None:
    refused = GraphQLRefusal("time-limit-exceeded", cause.message)
    refused.__cause__ = cause
    assert fault_of(refused) == fault


@pytest.mark.parametrize(
    ("sqlstate", "fault"),
    [("21000", "client"), ("40001", "server"), ("40P01", "server"), ("XX000", "ours")],
    ids=["a row met twice", "not one after the other", "a deadlock", "PostgreSQL's own"],
)
def test_what_hasura_calls_unexpected_may_be_no_fault_of_ours(sqlstate: str, fault: str) -> None:
    refused = GraphQLRefusal("unexpected", "database query error")
    refused.__cause__ = DatabaseError(sqlstate, "said so")
    assert fault_of(refused) == fault
