"""What is asked of JSON: a part of it by `path`, and its text by `_cast`, in `where` and in rules.

Hasura: `Data/Parser/JSONPath.hs`, `queries/graphql_query/boolexp/jsonb/query_cast_jsonb_to_string.yaml`.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from resolvers.documents.json_path import steps
from tests.engine.library import Library, library
from tests.permissions.databases import Sample, document, table
from tests.support.databases import Databases
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

SQL = """
CREATE TABLE shelf (id int PRIMARY KEY, owner int NOT NULL);
CREATE TABLE book (id int PRIMARY KEY, shelf_id int NOT NULL REFERENCES shelf, doc jsonb, raw json, docs jsonb[]);
CREATE FUNCTION whole(b book) RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT jsonb_build_object('id', b.id, 'doc', b.doc) $$;
INSERT INTO shelf VALUES (1, 1), (2, 2);
INSERT INTO book VALUES
  (1, 1, '{"a": [{"b": 1}, {"b": "latest"}], "a key": {"ü": true}, "it''s": 0}', '{"z": 1, "z": [2]}', '{}'),
  (2, 1, '["latest", null]', NULL, NULL),
  (3, 2, '{"a": [{"b": "hidden latest"}]}', '{}', NULL);
"""
USER = Session("user", {"x-hasura-user-id": "1"})
OTHER = Session("user", {"x-hasura-user-id": "3"})


def metadata(path: Path) -> Path:
    mine = {"shelf": {"owner": "X-Hasura-User-Id"}}

    def may(filter_: Any, **more: Any) -> list[Any]:
        return [{"role": "user", "permission": {"columns": "*", "filter": filter_, "allow_aggregations": True, **more}}]

    shelf = {
        "table": "shelf",
        "array_relationships": [
            {"name": "books", "using": {"foreign_key_constraint_on": {"table": {"schema": "public", "name": "book"}, "column": "shelf_id"}}}
        ],
        "select_permissions": may({"owner": "X-Hasura-User-Id"}),
    }
    book = {
        "table": "book",
        "object_relationships": [{"name": "shelf", "using": {"foreign_key_constraint_on": "shelf_id"}}],
        "computed_fields": [{"name": "whole", "definition": {"function": "whole"}}],
        "select_permissions": may(mine, computed_fields=["whole"]),
        "update_permissions": [{"role": "user", "permission": {"columns": ["doc"], "filter": mine}}],
    }
    path.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": [shelf, book]}]}))
    return path


@asynccontextmanager
async def opened(databases: Databases, folder: Path) -> AsyncIterator[Library]:
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata(folder / "metadata.json")) as books:
            assert books.resolved.problems == ()
            yield books


@pytest.fixture(scope="module")
async def books(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    """For tests that change nothing."""
    async with opened(databases, tmp_path_factory.mktemp("books")) as books:
        yield books


@pytest.fixture
async def own_books(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    async with opened(databases, tmp_path) as books:
        yield books


async def data(books: Library, query: str, variables: Any = None, session: Session = USER) -> Any:
    answer = await books.ask(query, variables, session=session)
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", ()),
        ("$.a[0].b", ("a", "0", "b")),
        ("a.b-c_1", ("a", "b-c_1")),
        ("$a", ("a",)),
        ("[007]", ("7",)),
        ("$.['it\\'s']", ("it's",)),
        ("""['say "x"']""", ('say "x"',)),
        ('["a\\u00fc\\n"]', ("aü\n",)),
        ("_ü", ("_ü",)),
        ('[""]', ("",)),
    ],
)
def test_what_is_a_path(path: str, found: tuple[str, ...]) -> None:
    assert steps(path) == found


@pytest.mark.parametrize(
    "path",
    ["", "$.", "$$", "a.", "1", "-a", "a b", "[-1]", "[a]", "['a", "[\"a']", '["\\x"]', '["\\ud800"]', "[1", "a[]", '["' + "\\" * 99],
)
def test_what_is_none(path: str) -> None:
    with pytest.raises(ValueError):
        steps(path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.a[1].b", "latest"),
        ("a[0]", {"b": 1}),
        ("""$["a key"]['ü']""", True),
        ("$['it\\'s']", 0),
        ("$.a[9].b", None),
        ("nothing.there", None),
        ("a.b", None),
    ],
)
async def test_a_part_of_a_document(books: Library, path: str, value: Any) -> None:
    query = "query ($p: String) { book(where: {id: {_eq: 1}}) { doc(path: $p) whole(path: $p) } }"
    assert (await data(books, query, {"p": path}))["book"] == [{"doc": value, "whole": None}]
    literal = json.dumps(path, ensure_ascii=False)
    query = f'{{ book(where: {{id: {{_eq: 1}}}}) {{ part: doc(path: {literal}) doc whole(path: "doc.a[0]") }} }}'
    whole = json.loads(await books.value("SELECT doc::text FROM book WHERE id = 1"))
    assert (await data(books, query))["book"] == [{"part": value, "doc": whole, "whole": {"b": 1}}]


async def test_one_plan_takes_many_paths(books: Library) -> None:
    query = "query ($p: String) { book(order_by: {id: asc}) { doc(path: $p) raw(path: $p) } }"
    one, two = await data(books, query, {"p": "[0]"}), await data(books, query, {"p": "z[0]"})
    assert one["book"] == [{"doc": None, "raw": None}, {"doc": "latest", "raw": None}]
    assert two["book"] == [{"doc": None, "raw": 2}, {"doc": None, "raw": None}]
    error = error_in(await books.ask(query, {"p": "z["}, session=USER), query)
    assert error["extensions"] == {"code": "validation-failed", "path": "$.selectionSet.book.selectionSet.doc.args"}
    assert error["message"] == (
        "parse json path error: z[. Accept letters, digits, underscore (_) or hyphen (-) only."
        ' Use quotes enclosed in bracket (["..."]) if there is any special character'
    )
    query = "{ book { doc(path: 1) } }"
    error = error_in(await books.ask(query, session=USER), query)
    assert error["extensions"] == {"code": "validation-failed", "path": "$.selectionSet.book.selectionSet.doc.args.path"}


async def test_wherever_rows_are(own_books: Library) -> None:
    query = """{ shelf { books(order_by: {id: asc}) { doc(path: "a[1]") }
          books_aggregate(order_by: {id: desc}) { nodes { doc(path: "[0]") } } }
        book_by_pk(id: 2) { doc(path: "$[0]") shelf { books(where: {id: {_eq: 1}}) { whole(path: "id") } } } }"""
    assert await data(own_books, query) == {
        "shelf": [{"books": [{"doc": {"b": "latest"}}, {"doc": None}], "books_aggregate": {"nodes": [{"doc": "latest"}, {"doc": None}]}}],
        "book_by_pk": {"doc": "latest", "shelf": {"books": [{"whole": 1}]}},
    }
    update = """mutation ($id: Int!, $doc: jsonb) { update_book(where: {id: {_eq: $id}}, _set: {doc: $doc}) { returning {
        id doc(path: "n[0]") all: doc } } }"""
    changed = await data(own_books, update, {"id": 1, "doc": {"n": [5]}})
    assert changed["update_book"]["returning"] == [{"id": 1, "doc": 5, "all": {"n": [5]}}]
    assert (await data(own_books, update, {"id": 3, "doc": {"n": [5]}}))["update_book"]["returning"] == []
    assert await own_books.value("SELECT doc #>> '{a,0,b}' FROM book WHERE id = 3") == "hidden latest"


async def test_parts_of_long_documents_count_each_by_itself(own_books: Library) -> None:
    await own_books.value(
        """UPDATE book SET doc = jsonb_build_object('long', repeat('x', 3000000), 'short', 1) WHERE id = 1 RETURNING id"""
    )
    fine = '{ book(where: {id: {_eq: 1}}) { short: doc(path: "short") long: doc(path: "long") } }'
    (row,) = (await data(own_books, fine))["book"]
    assert (row["short"], len(row["long"])) == (1, 3_000_000)
    query = '{ book(where: {id: {_eq: 1}}) { one: doc(path: "long") two: doc(path: "long") short: doc(path: "short") } }'
    assert error_in(await own_books.ask(query, session=USER), query)["extensions"]["code"] == "answer-too-large"


async def test_paths_in_postgresqls_language(books: Library) -> None:
    """Hasura: `queries/graphql_query/boolexp/jsonb/select_product_jsonb_path_exists.yaml` and the one for `_match`."""
    exists = "query ($p: String!) { book(where: {doc: {_jsonb_path_exists: $p}}, order_by: {id: asc}) { id } }"
    assert await data(books, exists, {"p": '$.a[*] ? (@.b like_regex "latest")'}) == {"book": [{"id": 1}]}
    assert await data(books, exists, {"p": "strict $[1]"}) == {"book": [{"id": 2}]}
    assert await data(books, exists, {"p": '$.a[*] ? (@.b like_regex "hidden")'}) == {"book": []}
    match = "query ($p: String!) { book(where: {doc: {_jsonb_path_match: $p}}) { id } }"
    assert await data(books, match, {"p": '$[0] == "latest"'}) == {"book": [{"id": 2}]}
    assert await data(books, match, {"p": '$.a[0].b == "hidden latest"'}) == {"book": []}
    # What is no predicate is true of nothing.
    assert await data(books, match, {"p": "$.a"}) == {"book": []}
    error = error_in(await books.ask(exists, {"p": "$.a["}, session=USER), exists)
    assert error["extensions"] == {"code": "data-exception", "path": "$"}
    query = "{ book(where: {doc: {_jsonb_path_exists: null}}) { id } }"
    error = error_in(await books.ask(query, session=USER), query)
    assert error["extensions"] == {"code": "validation-failed", "path": "$.selectionSet.book.args.where.doc._jsonb_path_exists"}


async def test_the_text_of_a_document_is_asked(books: Library) -> None:
    query = "query ($like: String!) { book(where: {doc: {_cast: {String: {_like: $like}}}}, order_by: {id: asc}) { id } }"
    assert await data(books, query, {"like": "%latest%"}) == {"book": [{"id": 1}, {"id": 2}]}
    assert await data(books, query, {"like": "%latest%"}, OTHER) == {"book": []}
    assert await data(books, query, {"like": "[%"}) == {"book": [{"id": 2}]}
    for where, ids in (
        ('{_eq: "[\\"latest\\", null]"}', [2]),
        ("{_in: []}", []),
        ('{_is_null: false, _regex: "^..a"}', [1]),
        ("{}", [1, 2]),
    ):
        query = f"{{ book(where: {{doc: {{_cast: {{String: {where}}}}}}}, order_by: {{id: asc}}) {{ id }} }}"
        assert [row["id"] for row in (await data(books, query))["book"]] == ids, where
    query = '{ book(where: {whole: {_cast: {String: {_like: "%: 2%"}}}}) { id } }'
    assert await data(books, query) == {"book": [{"id": 2}]}
    query = '{ book(where: {doc: {_cast: {String: {_regex: "("}}}}) { id } }'
    assert error_in(await books.ask(query, session=OTHER), query)["extensions"]["code"] == "data-exception"


@pytest.mark.parametrize(
    ("where", "path", "message"),
    [
        ("{doc: {_cast: {Int: {_eq: 1}}}}", "doc._cast.Int", "field 'Int' not found in type: 'jsonb_cast_exp'"),
        ("{doc: {_cast: null}}", "doc._cast", "expected an object for type 'jsonb_cast_exp', but found null"),
        ("{doc: {_cast: {String: {_eq: null}}}}", "doc._cast.String._eq", "unexpected null value for type 'String'"),
        ("{raw: {_cast: {String: {}}}}", "raw._cast", "field '_cast' not found in type: 'json_comparison_exp'"),
        ("{docs: {_cast: {String: {}}}}", "docs._cast", "field '_cast' not found in type: 'jsonb_array_comparison_exp'"),
    ],
)
async def test_what_can_not_be_cast(books: Library, where: str, path: str, message: str) -> None:
    error = error_in(await books.ask(f"{{ book(where: {where}) {{ id }} }}", session=USER), where)
    assert error == {"message": message, "extensions": {"code": "validation-failed", "path": f"$.selectionSet.book.args.where.{path}"}}


async def test_json_has_comparisons_which_postgresql_has_not(books: Library) -> None:
    assert await data(books, "{ book(where: {raw: {_is_null: true}}) { id } }") == {"book": [{"id": 2}]}
    query = "{ book(where: {raw: {_eq: {}}}) { id } }"
    error = error_in(await books.ask(query, session=USER), query)
    assert (error["extensions"]["code"], error["message"]) == ("not-supported", "operator does not exist: json = json")


RULES: list[tuple[Any, list[int]]] = [
    ({"doc": {"_cast": {"text": {"_like": "%latest%"}}}}, [1, 2, 3]),
    ({"doc": {"$cast": {"text": {"$nlike": "%b%"}}}}, [2]),
    ({"doc": {"_cast": {"text": {"_like": "X-Hasura-Like"}}}}, [3]),
    ({"doc": {"_cast": {"text": {"_in": ["X-Hasura-Like", '["latest", null]']}}}}, [2]),
    ({"doc": {"_cast": {"text": '["latest", null]'}}}, [2]),
    ({"_not": {"doc": {"_cast": {"text": {}}}}}, []),
    ({"whole": {"_cast": {"text": {"_like": "%: 2%"}}}}, [2]),
]


def test_rules_cast_too(databases: Databases) -> None:
    with databases.temporary() as url, Sample(url, SQL) as sample:
        whole = {"computed_fields": [{"name": "whole", "definition": {"function": "whole"}}]}
        for rule, ids in RULES:
            assert sample.visible(document(table("book", rule, **whole)), "book", {"x-hasura-like": "%hidden%"}) == ids, rule
        for rule, problem in (
            ({"doc": {"_cast": {"int4": {"_eq": 1}}}}, "cannot cast column of type jsonb to type int4."),
            ({"raw": {"_cast": {"text": {"_eq": "1"}}}}, "cannot cast column of type json to type text."),
            (
                {"doc": {"_cast": {"text": {"_ceq": "raw"}}}},
                "`_ceq` compares columns of one type, but doc is of type text, raw of type json.",
            ),
        ):
            found = sample.resolved(document(table("book", rule)), strict=False).problems
            assert [each.sentence for each in found] == [f"The select permission of reader on book: {problem}"]
