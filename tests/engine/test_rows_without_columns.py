"""Rows that a role may select, though none of their columns (Hasura: `defaultTableSelectionSet` of `GraphQL/Schema/Select.hs`)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from permissions.session import Session
from tests.engine.authors import metadata, opened_with
from tests.engine.following import following
from tests.engine.library import Library
from tests.support.databases import Databases
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

USER, READER, COUNTING = Session("user", {"x-hasura-user-id": "1"}), Session("reader"), Session("counting")
ROW, ARTICLE = {"__typename": "author_local"}, {"__typename": "article_local"}


def _select(role: str, filter_: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "permission": {"columns": [], "filter": filter_, **more}}


@pytest.fixture
async def bare(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    given = metadata({})
    authors, articles, _ = given["sources"][0]["tables"]
    authors["select_permissions"] = [_select("user", {"id": "X-Hasura-User-Id"}), _select("reader", {})]
    authors["insert_permissions"] = [{"role": "user", "permission": {"columns": ["full_name"], "check": {}}}]
    authors["delete_permissions"] = [{"role": "user", "permission": {"filter": {"full_name": "Lie"}}}]
    articles["select_permissions"] = [
        {"role": "reader", "permission": {"columns": ["id"], "filter": {}}},
        _select("counting", {}, allow_aggregations=True),
    ]
    articles["update_permissions"] = []
    async with opened_with(databases, tmp_path, given) as opened:
        yield opened


@pytest.mark.parametrize(
    ("session", "query", "data"),
    [
        (USER, "{ author_local { __typename } }", {"author_local": [ROW]}),
        (READER, "{ author_local(limit: 1) { __typename } }", {"author_local": [ROW]}),
        (READER, "{ author_local(where: {written_articles: {id: {_eq: 3}}}) { __typename } }", {"author_local": [ROW]}),
        (
            READER,
            "{ article_local(where: {id: {_eq: 1}}) { id written_by { __typename } } }",
            {"article_local": [{"id": 1, "written_by": ROW}]},
        ),
        (
            COUNTING,
            "{ article_local_aggregate(limit: 2) { aggregate { count } nodes { __typename } } }",
            {"article_local_aggregate": {"aggregate": {"count": 2}, "nodes": [ARTICLE, ARTICLE]}},
        ),
        (USER, 'mutation { insert_author_local_one(object: {full_name: "Lie"}) { __typename } }', {"insert_author_local_one": ROW}),
        (
            USER,
            'mutation { insert_author_local(objects: {full_name: "Lie"}) { affected_rows returning { __typename } } '
            "delete_author_local(where: {}) { returning { __typename } } }",
            {"insert_author_local": {"affected_rows": 1, "returning": [ROW]}, "delete_author_local": {"returning": [ROW]}},
        ),
        (USER, '{ __type(name: "author_local") { kind fields { name } } }', {"__type": {"kind": "OBJECT", "fields": []}}),
        (Session("nobody"), '{ __type(name: "author_local") { kind } }', {"__type": None}),
    ],
)
async def test_they_are_there(bare: Library, session: Session, query: str, data: Any) -> None:
    assert await bare.ask(query, session=session) == {"data": data}


async def test_they_are_followed(bare: Library) -> None:
    async with following(bare, "subscription { author_local { __typename } }", session=USER) as answer:
        assert await answer() == {"data": {"author_local": [ROW]}}


@pytest.mark.parametrize(
    ("session", "query", "message"),
    [
        (USER, "{ author_local { id } }", "field 'id' not found in type: 'author_local'"),
        (USER, "{ author_local }", "missing selection set for 'author_local'"),
        (USER, "{ author_local(where: {id: {_eq: 1}}) { __typename } }", "field 'id' not found in type: 'author_local_bool_exp'"),
        (USER, "{ author_local_by_pk(id: 1) { __typename } }", "field 'author_local_by_pk' not found in type: 'query_root'"),
        (USER, "{ author_local_aggregate { __typename } }", "field 'author_local_aggregate' not found in type: 'query_root'"),
        (Session("nobody"), "{ author_local { __typename } }", "field 'author_local' not found in type: 'query_root'"),
    ],
)
async def test_nothing_of_them_is_told(bare: Library, session: Session, query: str, message: str) -> None:
    assert error_in(await bare.ask(query, session=session), query)["message"] == message
