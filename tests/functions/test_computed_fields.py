"""Computed fields: values and rows, with arguments and session, in `where`, `order_by`, aggregates and rules."""

from typing import Any

import pytest

from permissions.session import Session
from tests.engine.library import Library
from tests.functions.who import NOBODY, READER, USER
from tests.support.refusals import code_in, error_in

pytestmark = pytest.mark.anyio

ADMIN_ANSWERS: list[tuple[str, Any]] = [
    (
        '{ author(order_by: {id: asc}) { full_name get_articles(args: {search: "Article"}, order_by: {id: desc}, limit: 1) { id } } }',
        {"author": [{"full_name": "Roger Chris", "get_articles": [{"id": 1}]}, {"full_name": "Daniel", "get_articles": [{"id": 3}]}]},
    ),
    ("{ author(order_by: {id: asc}) { age other: age(args: {in_year: 2010}) none: age(args: {in_year: null}) } }",
     {"author": [{"age": 50, "other": 60, "none": None}, {"age": 20, "other": 30, "none": None}]}),
    ('{ author(where: {full_name: {_ilike: "%roger%"}}) { id } }', {"author": [{"id": 1}]}),
    ('{ author(where: {get_articles_plain: {title: {_ilike: "%1%"}}}) { id } }', {"author": [{"id": 1}]}),
    ('{ author(where: {_not: {get_articles_plain: {shouted: {_eq: "ARTICLE 3"}}}}) { id } }', {"author": [{"id": 1}]}),
    ('{ author(where: {articles: {author: {full_name: {_in: ["Daniel"]}}}}) { id } }', {"author": [{"id": 2}]}),
    ("{ author(where: {years: {_is_null: false, _lte: 20}}) { id } }", {"author": [{"id": 2}]}),
    ("{ author(order_by: {full_name: asc}) { id } }", {"author": [{"id": 2}, {"id": 1}]}),
    ("{ author(order_by: [{get_articles_plain_aggregate: {count: desc}}, {id: asc}]) { id } }", {"author": [{"id": 2}, {"id": 1}]}),
    ("{ author(order_by: {get_articles_plain_aggregate: {max: {id: asc}}}) { id } }", {"author": [{"id": 1}, {"id": 2}]}),
    ("{ article(order_by: [{author: {full_name: asc}}, {id: desc}]) { id } }", {"article": [{"id": 3}, {"id": 2}, {"id": 1}]}),
    ("{ article(order_by: {author: {get_articles_plain_aggregate: {count: asc}}}, limit: 1) { id } }", {"article": [{"id": 1}]}),
    (
        "{ author_aggregate { aggregate { max { full_name years } sum { years old: age(args: {in_year: 2010}) age } avg { years } } } }",
        {"author_aggregate": {"aggregate": {
            "max": {"full_name": "Roger Chris", "years": 50}, "sum": {"years": 70, "old": 90, "age": 70}, "avg": {"years": 35},
        }}},
    ),
    (
        "{ author_aggregate(limit: 1, order_by: {full_name: desc}) { aggregate { min { full_name } } nodes { years } } }",
        {"author_aggregate": {"aggregate": {"min": {"full_name": "Roger Chris"}}, "nodes": [{"years": 50}]}},
    ),
    (
        "{ author_by_pk(id: 2) { get_articles_plain(where: {author: {full_name: {_neq: \"x\"}}}, order_by: {shouted: desc}, offset: 1) "
        "{ shouted author { years } } } }",
        {"author_by_pk": {"get_articles_plain": [{"shouted": "ARTICLE 2", "author": {"years": 20}}]}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), ADMIN_ANSWERS)
async def test_answers(query: str, expected: Any, posts: Library) -> None:
    assert await posts.ask(query) == {"data": expected}


REFUSED = [
    ('{ author(where: {get_articles: {title: {_eq: "a"}}}) { id } }', "validation-failed", "$.selectionSet.author.args.where.get_articles"),
    ("{ author(order_by: {age: asc}) { id } }", "validation-failed", "$.selectionSet.author.args.order_by[0].age"),
    ("{ author { get_articles { id } } }", "validation-failed", "$.selectionSet.author.selectionSet.get_articles.args.args"),
    ("{ author { get_articles(args: {}) { id } } }", "not-supported", "$.selectionSet.author.selectionSet.get_articles.args.args"),
    ("{ author { age(args: {year: 1}) } }", "validation-failed", "$.selectionSet.author.selectionSet.age.args.args.year"),
    ("{ author { years(args: {}) } }", "validation-failed", "$.selectionSet.author.selectionSet.years"),
]


@pytest.mark.parametrize(("query", "code", "path"), REFUSED)
async def test_refusals(query: str, code: str, path: str, posts: Library) -> None:
    assert error_in(await posts.ask(query), query)["extensions"] == {"code": code, "path": path}


async def test_a_value_needs_its_permission_and_rows_that_of_their_table(posts: Library) -> None:
    """`get_articles_plain` is in no list: the role may select articles, but sees their permitted rows and columns alone."""
    asked = "{ author { full_name get_articles_plain(order_by: {id: asc}) { id title } } }"
    assert await posts.ask(asked, session=USER("2")) == {
        "data": {"author": [{"full_name": "Daniel", "get_articles_plain": [{"id": 2, "title": "Article 2"}]}]}
    }
    for hidden in ("{ author { age } }", "{ author(where: {age: {_eq: 1}}) { id } }", "{ author { get_articles_plain { content } } }"):
        assert code_in(await posts.ask(hidden, session=USER("2")), hidden) == "validation-failed"
    assert code_in(await posts.ask(asked, session=NOBODY), asked) == "validation-failed"


async def test_hidden_rows_of_a_function_can_not_be_probed(posts: Library) -> None:
    asked = '{ author(where: {get_articles_plain: {title: {_eq: "Article 3"}}}) { id } }'
    assert await posts.ask(asked) == {"data": {"author": [{"id": 2}]}}
    assert await posts.ask(asked, session=READER) == {"data": {"author": []}}
    ordered = "{ author(order_by: [{get_articles_plain_aggregate: {count: desc}}, {id: asc}]) { id } }"
    assert code_in(await posts.ask(ordered, session=READER), ordered) == "validation-failed"
    assert await posts.ask(ordered, session=USER("2")) == {"data": {"author": [{"id": 2}]}}


async def test_the_limit_of_the_permission_holds_for_rows_of_a_function(own_posts: Library) -> None:
    await own_posts.pool.execute("UPDATE article SET is_public = true")
    asked = "{ author { get_articles_plain { content } } }"
    assert [len(author["get_articles_plain"]) for author in (await own_posts.ask(asked, session=READER))["data"]["author"]] == [1, 1]


@pytest.mark.parametrize(
    ("session", "seen"),
    [
        (USER("1"), [1]),
        (USER("9"), []),
        (Session("old"), [1]),
        (Session("writing"), [2]),
        (Session("named", {"x-hasura-names": "{Daniel}"}), [2]),
    ],
)
async def test_rules_name_computed_fields(session: Session, seen: list[int], posts: Library) -> None:
    answer = await posts.ask("{ author { id } }", session=session)
    assert [author["id"] for author in answer["data"]["author"]] == seen


async def test_writes_under_rules_that_name_computed_fields(own_posts: Library) -> None:
    renamed = "mutation($to: String!) { update_author(where: {}, _set: {first_name: $to}) { returning { full_name } } }"
    assert await own_posts.ask(renamed, {"to": "Rita"}, session=USER("1")) == {
        "data": {"update_author": {"returning": [{"full_name": "Rita Chris"}]}}
    }
    refused = await own_posts.ask(renamed, {"to": "Max"}, session=USER("1"))
    assert code_in(refused, renamed) == "permission-error"
    assert await own_posts.value("SELECT string_agg(first_name, ',' ORDER BY id) FROM author") == "Rita,Daniel"
    added = "mutation($name: String!) { insert_author_one(object: {first_name: $name}) { full_name years } }"
    assert code_in(await own_posts.ask(added, {"name": "Nobody"}, session=USER("1")), added) == "permission-error"
    ann = {"insert_author_one": {"full_name": "Ann", "years": None}}
    assert await own_posts.ask(added, {"name": "Ann"}, session=USER("1")) == {"data": ann}
    assert await own_posts.value("SELECT count(*) FROM author") == 3
    removed = await own_posts.ask("mutation { delete_author(where: {}) { affected_rows } }", session=USER("1"))
    assert removed == {"data": {"delete_author": {"affected_rows": 1}}}
    where = """mutation { update_author(where: {full_name: {_eq: "Daniel"}}, _set: {born: 1990}) {
        returning { years get_articles_plain { id } } } }"""
    written = {"years": 10, "get_articles_plain": [{"id": 2}, {"id": 3}]}
    assert await own_posts.ask(where) == {"data": {"update_author": {"returning": [written]}}}


async def test_upserts_under_checks_that_name_computed_fields(own_posts: Library) -> None:
    added = """mutation($name: String!) { insert_author_one(object: {first_name: $name},
        on_conflict: {constraint: author_pkey, update_columns: [first_name]}) { full_name } }"""
    assert await own_posts.ask(added, {"name": "Bea"}, session=USER("1")) == {"data": {"insert_author_one": {"full_name": "Bea"}}}
    assert code_in(await own_posts.ask(added, {"name": "Nobody"}, session=USER("1")), added) == "permission-error"
    assert await own_posts.value("SELECT count(*) FROM author") == 3


async def test_what_the_schema_says(posts: Library) -> None:
    asked = """{ __type(name: "author") { fields { name description type { kind name ofType { kind name } }
        args { name type { kind name ofType { name } } } } } }"""
    fields = {field["name"]: field for field in (await posts.ask(asked))["data"]["__type"]["fields"]}
    assert fields["full_name"]["description"] is None
    assert fields["years"]["description"] == 'A computed field, executes function "years"'
    assert fields["get_articles_plain"]["description"] == "What was written by the author."
    assert fields["age"]["args"] == [{"name": "args", "type": {"kind": "INPUT_OBJECT", "name": "age_author_args", "ofType": None}}]
    assert fields["get_articles"]["args"][0]["type"] == {"kind": "NON_NULL", "name": None, "ofType": {"name": "get_articles_author_args"}}
    assert fields["get_articles"]["type"] == {"kind": "LIST", "name": None, "ofType": {"kind": "NON_NULL", "name": None}}
