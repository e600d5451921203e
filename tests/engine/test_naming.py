"""Names by a source's customization, as Hasura's own tests of naming conventions have them (server/tests-py, naming_conventions)."""

from pathlib import Path
from typing import Any

import pytest

from permissions.session import Session
from tests.engine.authors import authors
from tests.support.databases import Databases
from tests.support.refusals import error_in

GRAPHQL = {"naming_convention": "graphql-default"}
AROUND = {"root_fields": {"prefix": "test", "suffix": "query"}, **GRAPHQL}
SNAKE = {"root_fields": {"prefix": "test_", "suffix": "_query"}, "type_names": {"prefix": "pre_", "suffix": "_post"}}
TYPES = {"type_names": {"prefix": "pre", "suffix": "post"}, **GRAPHQL}
OWN = {
    "author_local": {
        "custom_name": "authorDetails",
        "custom_root_fields": {"select_by_pk": "author_detail", "insert_one": {"name": "add_author", "comment": "Somebody new."}},
        "column_config": {"id": {"custom_name": "author_id"}},
    }
}
AUTHORS = [{"id": 1, "fullName": "Author 1", "__typename": "AuthorLocal"}, {"id": 2, "fullName": "Author 2", "__typename": "AuthorLocal"}]
Case = tuple[dict[str, Any], dict[str, Any] | None, str, Any]
CASES: list[Case] = [
    (GRAPHQL, None, "{ authorLocal(orderBy: {id: ASC}) { id fullName __typename } }", {"authorLocal": AUTHORS}),
    (GRAPHQL, None, "{ authorLocalByPk(id: 1) { __typename } }", {"authorLocalByPk": {"__typename": "AuthorLocal"}}),
    (
        GRAPHQL,
        None,
        '{ authorLocalAggregate(where: {fullName: {_eq: "Author 2"}}) { __typename aggregate { __typename count } } }',
        {
            "authorLocalAggregate": {
                "__typename": "AuthorLocalAggregate",
                "aggregate": {"__typename": "AuthorLocalAggregateFields", "count": 1},
            }
        },
    ),
    (
        GRAPHQL,
        None,
        "{ articleLocalAggregate { aggregate { stddevPop { wordCount __typename } max { authorId } } } }",
        {
            "articleLocalAggregate": {
                "aggregate": {
                    "stddevPop": {"wordCount": 8.16496580927726, "__typename": "ArticleLocalStddevPopFields"},
                    "max": {"authorId": 2},
                }
            }
        },
    ),
    (
        GRAPHQL,
        None,
        '{ articleLocal(where: {metaData: {_hasKey: "k", _isNull: false}}, limit: 1, distinctOn: [wordCount]) { wordCount } }',
        {"articleLocal": [{"wordCount": 10}]},
    ),
    (
        GRAPHQL,
        None,
        """{ authorLocal(orderBy: [{written_articlesAggregate: {count: DESC_NULLS_LAST}}]) {
        id written_articlesAggregate { aggregate { count } } written_articles(orderBy: {id: DESC}, limit: 1) { written_by { id } } } }""",
        {
            "authorLocal": [
                {"id": 1, "written_articlesAggregate": {"aggregate": {"count": 2}}, "written_articles": [{"written_by": {"id": 1}}]},
                {"id": 2, "written_articlesAggregate": {"aggregate": {"count": 1}}, "written_articles": [{"written_by": {"id": 2}}]},
            ]
        },
    ),
    (
        GRAPHQL,
        None,
        'mutation { insertAuthorLocal(objects: {fullName: "Author 3", id: 3}) { __typename affectedRows returning { id } } }',
        {"insertAuthorLocal": {"__typename": "AuthorLocalMutationResponse", "affectedRows": 1, "returning": [{"id": 3}]}},
    ),
    (
        GRAPHQL,
        None,
        "mutation { updateArticleLocalByPk(pkColumns: {id: 1}, _set: {wordCount: 11}) { wordCount } deleteArticleLocalByPk(id: 2) { id } }",
        {"updateArticleLocalByPk": {"wordCount": 11}, "deleteArticleLocalByPk": {"id": 2}},
    ),
    (
        GRAPHQL,
        None,
        '{ shopPriceList { listId _hiddenNote __typename } __type(name: "StringArrayComparisonExp") { name } }',
        {
            "shopPriceList": [{"listId": 1, "_hiddenNote": "note", "__typename": "ShopPriceList"}],
            "__type": {"name": "StringArrayComparisonExp"},
        },
    ),
    (
        GRAPHQL,
        OWN,
        "{ authorDetails(limit: 1) { author_id __typename } author_detail(author_id: 2) { fullName } }",
        {"authorDetails": [{"author_id": 1, "__typename": "authorDetails"}], "author_detail": {"fullName": "Author 2"}},
    ),
    (GRAPHQL, OWN, "mutation { add_author(object: {author_id: 7}) { author_id } }", {"add_author": {"author_id": 7}}),
    (
        GRAPHQL,
        OWN,
        '{ __type(name: "mutation_root") { fields { name description } } }',
        None,
    ),
    (AROUND, None, "{ testAuthorLocalByPkQuery(id: 1) { __typename } }", {"testAuthorLocalByPkQuery": {"__typename": "AuthorLocal"}}),
    (
        AROUND,
        None,
        "mutation { testDeleteArticleLocalByPkQuery(id: 1) { __typename } }",
        {"testDeleteArticleLocalByPkQuery": {"__typename": "ArticleLocal"}},
    ),
    (
        SNAKE,
        None,
        "{ test_author_local_query(limit: 1) { __typename } }",
        {"test_author_local_query": [{"__typename": "pre_author_local_post"}]},
    ),
    (
        SNAKE,
        None,
        "{ test_author_local_aggregate_query { __typename } }",
        {"test_author_local_aggregate_query": {"__typename": "pre_author_local_aggregate_post"}},
    ),
    (
        SNAKE,
        None,
        '{ a: __type(name: "pre_cursor_ordering_post") { name } b: __type(name: "Int_comparison_exp") { name } }',
        {"a": {"name": "pre_cursor_ordering_post"}, "b": {"name": "Int_comparison_exp"}},
    ),
    (TYPES, None, "{ authorLocal(limit: 1) { __typename } }", {"authorLocal": [{"__typename": "preAuthorLocalPost"}]}),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("customization", "configurations", "query", "data"), CASES)
async def test_names(
    databases: Databases,
    tmp_path: Path,
    customization: dict[str, Any],
    configurations: dict[str, Any] | None,
    query: str,
    data: dict[str, Any] | None,
) -> None:
    async with authors(databases, tmp_path, customization, configurations) as opened:
        answer = await opened.ask(query)
        if data is not None:
            assert answer == {"data": data}
            return
        fields = {field["name"]: field["description"] for field in answer["data"]["__type"]["fields"]}
        assert fields["add_author"] == "Somebody new."
        assert fields["insertArticleLocalOne"] == 'insert a single row into the table: "article_local"'


@pytest.mark.anyio
async def test_rules_stand_in_database_names(databases: Databases, tmp_path: Path) -> None:
    """A role is held to its rules whatever things are called: names in metadata are those of the database."""
    async with authors(databases, tmp_path, GRAPHQL) as opened:
        second = Session("user", {"x-hasura-user-id": "2"})
        assert await opened.ask("{ articleLocal { id wordCount } }", session=second) == {
            "data": {"articleLocal": [{"id": 3, "wordCount": 30}]}
        }
        update = "mutation { updateArticleLocal(where: {}, _set: {wordCount: 0}) { affectedRows } }"
        assert await opened.ask(update, session=second) == {"data": {"updateArticleLocal": {"affectedRows": 1}}}
        assert await opened.value("SELECT array_agg(word_count ORDER BY id) FROM article_local") == [10, 20, 0]
        hidden = "{ articleLocal { authorId } }"
        refused = error_in(await opened.ask(hidden, session=second), hidden)
        assert refused["message"] == "field 'authorId' not found in type: 'ArticleLocal'"
