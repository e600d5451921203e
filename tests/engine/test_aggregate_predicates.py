"""Aggregates of related rows in `where`: over the rows that the role sees, and only where it may aggregate them.

Hasura: `Test/Queries/FilterSearch/AggregationPredicatesSpec.hs`.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

SQL = """
CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE article (
  id int PRIMARY KEY, title text NOT NULL, published bool, author_id int NOT NULL REFERENCES author, editor_id int REFERENCES author
);
INSERT INTO author VALUES (1, 'Ada'), (2, 'Ben'), (3, 'Cyd');
INSERT INTO article VALUES
  (1, 'A', false, 1, 1), (2, 'B', true, 2, 1), (3, 'B', true, 2, NULL), (4, 'C', true, 1, 2), (5, 'D', NULL, 1, NULL);
"""


def metadata(path: Path, customization: dict[str, Any] | None = None) -> Path:
    def select(role: str, columns: list[str], filter_: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"role": role, "permission": {"columns": columns, "filter": filter_, **more}}

    seen = ["id", "title", "author_id"]
    everybody = ("reader", "counter", "teller", "writer", "blind")
    own = {"editor_id": {"_eq": "X-Hasura-User-Id"}}
    article = {
        "table": "article",
        "object_relationships": [{"name": "author", "using": {"foreign_key_constraint_on": "author_id"}}],
        "select_permissions": [
            select("reader", [*seen, "published"], {"published": {"_eq": True}}),
            select("counter", seen, {"published": {"_eq": True}}, allow_aggregations=True),
            select("teller", [*seen, "published"], own, allow_aggregations=True),
            select("writer", [*seen, "published"], own, allow_aggregations=True, limit=1),
        ],
    }
    articles = {"foreign_key_constraint_on": {"table": "article", "column": "author_id"}}
    author = {
        "table": "author",
        "array_relationships": [{"name": "articles", "using": articles}],
        "select_permissions": [select(role, ["id", "name"], {}) for role in everybody],
        "update_permissions": [{"role": role, "permission": {"columns": ["name"], "filter": {}}} for role in ("reader", "writer")],
        "delete_permissions": [{"role": "reader", "permission": {"filter": {}}}],
    }
    inherited = [{"role_name": "both", "role_set": ["counter", "teller"]}]
    source = {"name": "main", "kind": "postgres", "tables": [author, article], "customization": customization or {}}
    path.write_text(json.dumps({"version": 3, "inherited_roles": inherited, "sources": [source]}))
    return path


@pytest.fixture(scope="module")
async def authors(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata(tmp_path_factory.mktemp("metadata") / "metadata.json")) as opened:
            yield opened


def session(role: str) -> Session:
    return Session(role, {"x-hasura-role": role, "x-hasura-user-id": "1"})


async def found(authors: Library, predicate: str, role: str = "admin", variables: dict[str, Any] | None = None) -> list[int]:
    """The authors of whose articles this is true."""
    types = "($i: Int, $w: article_bool_exp, $p: Int_comparison_exp! = {_eq: 0})" if variables is not None else ""
    query = f"query {types} {{ author(where: {{articles_aggregate: {{{predicate}}}}}, order_by: {{id: asc}}) {{ id }} }}"
    answer = await authors.ask(query, variables, session=session(role))
    assert "errors" not in answer, answer
    return [row["id"] for row in answer["data"]["author"]]


@pytest.mark.parametrize(
    ("predicate", "ids"),
    [
        ("count: {predicate: {_gt: 1}}", [1, 2]),
        ("count: {predicate: {_eq: 0}}", [3]),
        ("count: {predicate: {_in: [0, 3]}}", [1, 3]),
        ("count: {predicate: {_gt: 1, _lt: 3}}", [2]),
        ("count: {predicate: {}}", [1, 2, 3]),
        ("count: {predicate: {_eq: 1}, filter: {published: {_eq: true}}}", [1]),
        ('count: {predicate: {_eq: 1}, filter: {_and: [{published: {_eq: true}}, {author: {name: {_eq: "Ada"}}}]}}', [1]),
        ("count: {predicate: {_eq: 2}, arguments: published}", [1, 2]),
        ("count: {predicate: {_eq: 1}, arguments: [title], distinct: true}", [2]),
        ("count: {predicate: {_eq: 2}, arguments: [title, id], distinct: true}", [2]),
        ("count: {predicate: {_eq: 2}, arguments: [title, published], distinct: false}", [2]),
        ("bool_and: {arguments: published, predicate: {_eq: false}}", [1]),
        ("bool_and: {arguments: published, predicate: {_eq: true}, filter: {author_id: {_neq: 2}}}", []),
        ("bool_and: {arguments: published, predicate: {_eq: true}, distinct: true}", [2]),
        ("bool_or: {arguments: published, predicate: {_eq: true}}", [1, 2]),
        ("bool_or: {arguments: published, predicate: {_is_null: true}}", [3]),
        # Inside the filter of one, another one.
        ("count: {predicate: {_gt: 0}, filter: {author: {articles_aggregate: {count: {predicate: {_eq: 3}}}}}}", [1]),
    ],
)
async def test_rows_are_found_by_aggregates_of_related_rows(authors: Library, predicate: str, ids: list[int]) -> None:
    assert await found(authors, predicate) == ids


async def test_values_come_in_variables(authors: Library) -> None:
    assert await found(authors, "count: {predicate: {_eq: $i}}", variables={"i": 2}) == [2]
    assert await found(authors, "count: {predicate: {_eq: 1}, filter: $w}", variables={"w": {"title": {"_eq": "C"}}}) == [1]
    assert await found(authors, "count: {predicate: $p}", variables={"p": {"_gte": 3}}) == [1]


@pytest.mark.parametrize(
    ("role", "predicate", "ids"),
    [
        # Two articles of author 1 are hidden from it.
        ("counter", "count: {predicate: {_eq: 1}}", [1]),
        ("counter", "count: {predicate: {_gt: 2}}", []),
        ("counter", "count: {predicate: {_gte: 1}, filter: {id: {_in: [1, 5]}}}", []),
        ("counter", "count: {predicate: {_eq: 1}, arguments: title, distinct: true}", [1, 2]),
        # Each sees what it edits.
        ("teller", "count: {predicate: {_eq: 1}}", [1, 2]),
        ("teller", "bool_and: {arguments: published, predicate: {_eq: true}}", [2]),
        ("teller", "bool_or: {arguments: published, predicate: {_eq: true}}", [2]),
        # A permission's limit is none of what is counted.
        ("writer", "count: {predicate: {_eq: 1}}", [1, 2]),
        # Articles 1 to 4 are seen; `published` only where 1 and 2 are, by the one parent that has it.
        ("both", "count: {predicate: {_eq: 2}}", [1, 2]),
        ("both", "count: {predicate: {_eq: 1}, arguments: published}", [1, 2]),
        ("both", "bool_or: {arguments: published, predicate: {_eq: true}}", [2]),
    ],
)
async def test_hidden_rows_and_cells_count_nothing(authors: Library, role: str, predicate: str, ids: list[int]) -> None:
    assert await found(authors, predicate, role) == ids


PLACE = "$.selectionSet.author.args.where.articles_aggregate"
ANY = "count: {predicate: {_gte: 0}}"


@pytest.mark.parametrize(
    ("role", "predicate", "path", "message"),
    [
        ("reader", ANY, PLACE, "field 'articles_aggregate' not found in type: 'author_bool_exp'"),
        ("blind", ANY, PLACE, "field 'articles_aggregate' not found in type: 'author_bool_exp'"),
        (
            "counter",
            "bool_and: {arguments: published, predicate: {_eq: true}}",
            f"{PLACE}.bool_and",
            "field 'bool_and' not found in type: 'article_aggregate_bool_exp'",
        ),
        (
            "counter",
            "count: {arguments: published, predicate: {_gt: 1}}",
            f"{PLACE}.count.arguments[0]",
            "expected one of the values ['author_id', 'id', 'title'] for type 'article_select_column', but found 'published'",
        ),
        (
            "counter",
            "count: {filter: {published: {_eq: false}}, predicate: {_gt: 1}}",
            f"{PLACE}.count.filter.published",
            "field 'published' not found in type: 'article_bool_exp'",
        ),
        ("admin", "", PLACE, "exactly one predicate should be specified"),
        ("admin", f"{ANY}, bool_or: {{arguments: published, predicate: {{}}}}", PLACE, "exactly one predicate should be specified"),
        ("admin", "count: {}", f"{PLACE}.count.predicate", "missing required field 'predicate'"),
        ("admin", "bool_and: {predicate: {}}", f"{PLACE}.bool_and.arguments", "missing required field 'arguments'"),
        ("admin", "max: {predicate: {}}", f"{PLACE}.max", "field 'max' not found in type: 'article_aggregate_bool_exp'"),
    ],
)
async def test_who_may_not_is_refused(authors: Library, role: str, predicate: str, path: str, message: str) -> None:
    query = f"{{ author(where: {{articles_aggregate: {{{predicate}}}}}) {{ id }} }}"
    error = error_in(await authors.ask(query, session=session(role)), query)
    assert error == {"extensions": {"code": "validation-failed", "path": path}, "message": message}


@pytest.mark.parametrize("write", ['update_author(WHERE, _set: {name: "x"}) { affected_rows }', "delete_author(WHERE) { affected_rows }"])
async def test_without_aggregations_nothing_is_written_by_them(authors: Library, write: str) -> None:
    before = await authors.value("SELECT json_agg(a ORDER BY id)::text FROM author a")
    query = f"mutation {{ {write} }}".replace("WHERE", f"where: {{articles_aggregate: {{{ANY}}}}}")
    assert "'articles_aggregate' not found" in error_in(await authors.ask(query, session=session("reader")), query)["message"]
    assert await authors.value("SELECT json_agg(a ORDER BY id)::text FROM author a") == before


async def test_rows_are_changed_by_the_aggregates_that_the_role_sees(authors: Library) -> None:
    # Of author 1 it sees one article of three, and of author 3 none.
    where = "where: {articles_aggregate: {count: {predicate: {_gt: 1}}}}"
    query = f'mutation {{ none: update_author({where}, _set: {{name: "x"}}) {{ affected_rows }} }}'
    assert await authors.ask(query, session=session("writer")) == {"data": {"none": {"affected_rows": 0}}}
    assert await authors.value("SELECT string_agg(name, ' ' ORDER BY id) FROM author") == "Ada Ben Cyd"
    query = query.replace("_gt: 1", "_lt: 1").replace('"x"', '"Cyd"')
    assert await authors.ask(query, session=session("writer")) == {"data": {"none": {"affected_rows": 1}}}


async def test_each_is_priced_as_rows_of_the_table(authors: Library) -> None:
    query = "query ($w: [author_bool_exp!]!) { author(where: {_or: $w}) { id } }"
    counted = [{"articles_aggregate": {"count": {"predicate": {"_gt": 0}}}}] * 700
    assert "errors" not in await authors.ask(query, {"w": counted[:100]}, session=session("counter"))
    answer = await authors.ask(query, {"w": counted}, session=session("counter"))
    assert "costs more than" in error_in(answer, "seven hundred of them")["message"]
    deep = "{articles_aggregate: {count: {predicate: {_gt: 0}, filter: {author: " * 8 + "{}" + "}}}}" * 8
    answer = await authors.ask(f"{{ author(where: {deep}) {{ id }} }}", session=session("counter"))
    assert error_in(answer, "eight within another")["message"] == "the query is nested deeper than 20 levels"


async def test_names_follow_the_naming_convention(databases: Databases, tmp_path: Path) -> None:
    customization = {"naming_convention": "graphql-default", "type_names": {"prefix": "my"}}
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata(tmp_path / "metadata.json", customization)) as opened:
            asked = "where: {articlesAggregate: {bool_and: {arguments: published, predicate: {_eq: false}, filter: {authorId: {_eq: 1}}}}}"
            assert await opened.ask(f"{{ author({asked}) {{ id }} }}") == {"data": {"author": [{"id": 1}]}}
            fields = await opened.ask('{ __type(name: "ArticleAggregateBoolExp") { inputFields { name type { name } } } }')
    assert [(field["name"], field["type"]["name"]) for field in fields["data"]["__type"]["inputFields"]] == [
        ("bool_and", "articleAggregateBoolExpBool_and"),
        ("bool_or", "articleAggregateBoolExpBool_or"),
        ("count", "articleAggregateBoolExpCount"),
    ]
