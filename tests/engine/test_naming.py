"""Names by a source's customization, as Hasura's own tests of naming conventions have them (server/tests-py, naming_conventions)."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.settings.metadata import MetadataSettings
from permissions.reading.metadata import load_metadata
from permissions.session import Session
from schema.naming import Convention
from tests.engine.authors import authors, metadata, opened_with
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
        id writtenArticlesAggregate { aggregate { count } } written_articles(orderBy: {id: DESC}, limit: 1) { written_by { id } } } }""",
        {
            "authorLocal": [
                {"id": 1, "writtenArticlesAggregate": {"aggregate": {"count": 2}}, "written_articles": [{"written_by": {"id": 1}}]},
                {"id": 2, "writtenArticlesAggregate": {"aggregate": {"count": 1}}, "written_articles": [{"written_by": {"id": 2}}]},
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


FUNCTIONS = """
CREATE FUNCTION longer_articles(min_words int) RETURNS SETOF article_local LANGUAGE sql STABLE AS
  $$ SELECT * FROM article_local WHERE word_count > min_words $$;
CREATE FUNCTION words_beyond(author author_local, min_words int) RETURNS bigint LANGUAGE sql STABLE AS
  $$ SELECT sum(word_count) FROM article_local a WHERE a.author_id = author.id AND word_count > min_words $$;
"""


@pytest.mark.anyio
async def test_no_convention_renames_arguments_of_functions(databases: Databases, tmp_path: Path) -> None:
    """Hasura: `Backends/Postgres/Schema/Select.hs`, but for a flag that nobody has set; and `Function/Cache.hs` of a name of their own."""
    document = metadata(GRAPHQL)
    document["sources"][0]["functions"] = [{"function": "longer_articles"}]
    computed = {"name": "words_beyond", "definition": {"function": {"schema": "public", "name": "words_beyond"}}}
    document["sources"][0]["tables"][0]["computed_fields"] = [computed]
    async with opened_with(databases, tmp_path, document, FUNCTIONS) as opened:
        query = """{ longerArticles(args: {min_words: 15}) { wordCount }
            longerArticlesAggregate(args: {min_words: 15}) { aggregate { count } }
            authorLocal { words_beyond(args: {min_words: 15}) } }"""
        assert await opened.ask(query) == {
            "data": {
                "longerArticles": [{"wordCount": 20}, {"wordCount": 30}],
                "longerArticlesAggregate": {"aggregate": {"count": 2}},
                "authorLocal": [{"words_beyond": 20}, {"words_beyond": 30}],
            }
        }
    document["sources"][0]["functions"] = [{"function": "longer_articles", "configuration": {"custom_name": "the_longerOnes"}}]
    async with opened_with(databases, tmp_path, document, FUNCTIONS) as opened:
        query = "{ the_longerOnes(args: {min_words: 25}) { id } the_longerOnes_aggregate(args: {min_words: 25}) { aggregate { count } } }"
        assert await opened.ask(query) == {"data": {"the_longerOnes": [{"id": 3}], "the_longerOnes_aggregate": {"aggregate": {"count": 1}}}}


@pytest.mark.anyio
async def test_aggregates_of_a_relationship_are_called_by_where_they_stand(databases: Databases, tmp_path: Path) -> None:
    document = metadata(GRAPHQL)
    document["sources"][0]["tables"][0]["array_relationships"][0] |= {"name": "Written_articles"}
    async with opened_with(databases, tmp_path, document) as opened:
        query = """{ authorLocal(where: {Written_articlesAggregate: {count: {predicate: {_gt: 0}}}},
            orderBy: {written_articlesAggregate: {count: ASC}}) { writtenArticlesAggregate { aggregate { count } } } }"""
        counts = [{"writtenArticlesAggregate": {"aggregate": {"count": count}}} for count in (1, 2)]
        assert await opened.ask(query) == {"data": {"authorLocal": counts}}


@pytest.mark.parametrize(
    ("customization", "convention"),
    [({}, Convention.GRAPHQL), (SNAKE, Convention.GRAPHQL), ({"naming_convention": "hasura-default"}, Convention.HASURA)],
)
def test_a_source_that_names_no_convention_has_that_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, customization: dict[str, Any], convention: Convention
) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(metadata(customization)))
    assert load_metadata(file, None, Convention.GRAPHQL).naming.convention is convention
    monkeypatch.setenv("HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION", "graphql-default")
    assert MetadataSettings().default_naming_convention is Convention.GRAPHQL


NAMED_TYPES = """
ALTER TABLE article_local ADD COLUMN is_published boolean;
CREATE TABLE article_mood (value text PRIMARY KEY);
INSERT INTO article_mood VALUES ('grave');
ALTER TABLE article_local ADD COLUMN mood text REFERENCES article_mood;
CREATE FUNCTION longer_articles(min_words int) RETURNS SETOF article_local LANGUAGE sql STABLE
    AS 'SELECT * FROM article_local WHERE word_count >= min_words';
CREATE FUNCTION words_beyond(article article_local, beyond int) RETURNS int LANGUAGE sql STABLE AS 'SELECT article.word_count - beyond';
"""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("customization", "names"),
    [
        (
            SNAKE,
            {
                "longer_articles_args": "pre_longer_articles_args_post",
                "words_beyond_article_local_args": "pre_words_beyond_article_local_args_post",
                "mood": "pre_article_mood_enum_post_comparison_exp",
                "aggregate": "article_local_aggregate_bool_exp",
                "count": "article_local_aggregate_bool_exp_count",
                "bool_and": "article_local_aggregate_bool_exp_bool_and",
                "columns": "pre_article_local_select_column_article_local_aggregate_bool_exp_bool_and_arguments_columns_post",
                "described": "article_local_aggregate_bool_exp_bool_and_arguments_columns",
            },
        ),
        (
            TYPES,
            {
                "longer_articles_args": "preLongerArticlesArgsPost",
                "words_beyond_article_local_args": "preWords_beyond_article_local_argsPost",
                "mood": "PreArticleMoodEnumPostComparisonExp",
                "aggregate": "ArticleLocalAggregateBoolExp",
                "count": "articleLocalAggregateBoolExpCount",
                "bool_and": "articleLocalAggregateBoolExpBool_and",
                "columns": "preArticleLocalSelectColumnArticleLocalAggregateBoolExpBool_andArgumentsColumnsPost",
                "described": "articleLocalAggregateBoolExpBool_andArgumentsColumns",
            },
        ),
        (
            GRAPHQL,
            {
                "longer_articles_args": "longerArticlesArgs",
                "words_beyond_article_local_args": "words_beyond_article_local_args",
                "mood": "ArticleMoodEnumComparisonExp",
                "aggregate": "ArticleLocalAggregateBoolExp",
                "count": "articleLocalAggregateBoolExpCount",
                "bool_and": "articleLocalAggregateBoolExpBool_and",
                "columns": "ArticleLocalSelectColumnArticleLocalAggregateBoolExpBool_andArgumentsColumns",
                "described": "articleLocalAggregateBoolExpBool_andArgumentsColumns",
            },
        ),
    ],
)
async def test_types_that_hasura_names_apart(
    databases: Databases, tmp_path: Path, customization: dict[str, Any], names: dict[str, str]
) -> None:
    """By `functionArgs`, `comparisonExps` and `defaultAggregationPredicatesParser` of its source."""
    document = metadata(customization)
    source = document["sources"][0]
    source["tables"].append({"table": "article_mood", "is_enum": True})
    computed = {"name": "words_beyond", "definition": {"function": "words_beyond", "table_argument": "article"}}
    source["tables"][1]["computed_fields"] = [computed]
    source["functions"] = [{"function": "longer_articles"}]
    async with opened_with(databases, tmp_path, document, NAMED_TYPES) as opened:
        listed = await opened.ask("{ __schema { types { name description inputFields { name type { name ofType { name } } } } } }")
        types = {type_["name"]: type_ for type_ in listed["data"]["__schema"]["types"]}
        assert set(names.values()) - {names["described"]} <= types.keys()
        assert types[names["columns"]]["description"] == f'select "{names["described"]}" columns of table "article_local"'
        fields = {field["name"]: field["type"]["name"] for field in types[names["aggregate"]]["inputFields"]}
        assert fields == {"count": names["count"], "bool_and": names["bool_and"], "bool_or": names["bool_and"].replace("ool_and", "ool_or")}
