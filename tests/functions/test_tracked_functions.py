"""Tracked functions as root fields: arguments, pages, aggregates, permissions, mutations, and what may not run twice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from permissions.reading.metadata import load_metadata
from permissions.resolving.role_rules import role_rules
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.engine.library import Library
from tests.functions.who import ANONYMOUS, NOBODY, READER, USER
from tests.support.refusals import code_in, error_in
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio

ANSWERS: list[tuple[str, Any]] = [
    ('{ search_articles(args: {search: "2"}) { title author { full_name } } }',
     {"search_articles": [{"title": "Article 2", "author": {"full_name": "Daniel"}}]}),
    ('{ search_articles(args: {search: "art"}, where: {id: {_gt: 1}}, order_by: {id: desc}, limit: 1, offset: 1) { id shouted } }',
     {"search_articles": [{"id": 2, "shouted": "ARTICLE 2"}]}),
    ('{ search_articles(args: {search: "art"}, distinct_on: author_id, order_by: [{author_id: asc}, {id: desc}]) { id } }',
     {"search_articles": [{"id": 1}, {"id": 3}]}),
    ('{ search_articles_aggregate(args: {search: "art"}) { aggregate { count max { id shouted } } nodes { id } } }',
     {"search_articles_aggregate": {"aggregate": {"count": 3, "max": {"id": 3, "shouted": "ARTICLE 3"}},
                                    "nodes": [{"id": 1}, {"id": 2}, {"id": 3}]}}),
    ("{ article_at(args: {place: 2}) { title } none: article_at(args: {place: 9}, where: {id: {_eq: 9}}) { title } }",
     {"article_at": {"title": "Article 2"}, "none": None}),
    ('{ written(args: {a: "(2,a,b,1)"}) { id } written_aggregate(args: {a: "(2,a,b,1)"}) { aggregate { count } } }',
     {"written": [{"id": 2}, {"id": 3}], "written_aggregate": {"aggregate": {"count": 2}}}),
    ("{ my_add(args: {first: 2, second: 3}) { result } none: my_add(args: {first: null, second: 2}) { result } "
     "default: my_add(args: {first: 2}) { result } }",
     {"my_add": [{"result": 5}], "none": [{"result": None}], "default": [{"result": 12}]}),
    ("{ sumOfThree(args: {arg_1: 1}) { result } all: sumOfThree(args: {arg_1: 1, b: 1, arg_2: 1}) { result } }",
     {"sumOfThree": [{"result": 6}], "all": [{"result": 3}]}),
    ("{ all_articles(limit: 1) { __typename id } }", {"all_articles": [{"__typename": "article", "id": 1}]}),
    ('{ search_articles(args: {search: "2"}, where: {author: {full_name: {_eq: "Daniel"}}}) { id } }', {"search_articles": [{"id": 2}]}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), ANSWERS)
async def test_answers(query: str, expected: Any, posts: Library) -> None:
    assert await posts.ask(query) == {"data": expected}


async def test_arguments_from_variables(posts: Library) -> None:
    whole = "query($args: my_add_args!) { my_add(args: $args) { result } }"
    assert await posts.ask(whole, {"args": {"first": 1}}) == {"data": {"my_add": [{"result": 11}]}}
    assert await posts.ask(whole, {"args": {"first": 1, "second": None}}) == {"data": {"my_add": [{"result": None}]}}
    assert await posts.ask(whole, {"args": {"first": 1, "second": 1}}) == {"data": {"my_add": [{"result": 2}]}}
    single = "query($first: Int) { my_add(args: {first: $first}) { result } }"
    assert await posts.ask(single, {"first": 5}) == {"data": {"my_add": [{"result": 15}]}}


REFUSED = [
    ("{ my_add(args: {second: 1}) { result } }", "not-supported", "$.selectionSet.my_add.args.args"),
    ("{ sumOfThree(args: {b: 1}) { result } }", "not-supported", "$.selectionSet.sumOfThree.args.args"),
    ("{ sumOfThree(args: {arg_1: 1, arg_2: 1}) { result } }", "not-supported", "$.selectionSet.sumOfThree.args.args"),
    ("{ my_add { result } }", "validation-failed", "$.selectionSet.my_add.args.args"),
    ("{ my_add(args: {first: 1, third: 2}) { result } }", "validation-failed", "$.selectionSet.my_add.args.args.third"),
    ("{ my_add(args: {first: true}) { result } }", "parse-failed", "$.selectionSet.my_add.args.args.first"),
    ("{ three(args: {arg_1: 1}) { result } }", "validation-failed", "$.selectionSet.three"),
    ("{ add_to_score { name } }", "validation-failed", "$.selectionSet.add_to_score"),
    ("mutation { search_articles { id } }", "validation-failed", "$.selectionSet.search_articles"),
]


@pytest.mark.parametrize(("query", "code", "path"), REFUSED)
async def test_refusals(query: str, code: str, path: str, posts: Library) -> None:
    assert error_in(await posts.ask(query), query)["extensions"] == {"code": code, "path": path}


async def test_the_session_is_no_argument(posts: Library) -> None:
    asked = '{ get_session_var(args: {session_var: "x-hasura-user-id"}) { result } }'
    assert await posts.ask(asked, session=USER("7")) == {"data": {"get_session_var": [{"result": "7"}]}}
    given = '{ get_session_var(args: {session_var: "a", hasura_session: "{}"}) { result } }'
    assert code_in(await posts.ask(given, session=USER("7")), given) == "validation-failed"


async def test_the_rule_of_the_table_holds_for_what_a_function_returns(posts: Library) -> None:
    """Rows, columns, the limit and aggregates are those that the role may have of the table."""
    asked = '{ search_articles(args: {search: "art"}) { id } }'
    assert await posts.ask(asked, session=USER("1")) == {"data": {"search_articles": [{"id": 1}, {"id": 2}]}}
    assert await posts.ask(asked, session=READER) == {"data": {"search_articles": [{"id": 1}]}}
    hidden = '{ search_articles(args: {search: "art"}) { content } }'
    assert code_in(await posts.ask(hidden, session=USER("1")), hidden) == "validation-failed"
    counted = '{ search_articles_aggregate(args: {search: "art"}) { aggregate { count } nodes { id } } }'
    assert await posts.ask(counted, session=USER("1")) == {
        "data": {"search_articles_aggregate": {"aggregate": {"count": 2}, "nodes": [{"id": 1}, {"id": 2}]}}
    }
    assert code_in(await posts.ask(counted, session=READER), counted) == "validation-failed"
    assert code_in(await posts.ask(asked, session=NOBODY), asked) == "validation-failed"
    assert await posts.ask("{ article_at(args: {place: 3}) { id } }", session=USER("1")) == {"data": {"article_at": None}}
    probed = '{ search_articles(args: {search: "3"}, where: {title: {_like: "%3"}}, order_by: {title: asc}) { id } }'
    assert await posts.ask(probed, session=USER("1")) == {"data": {"search_articles": []}}


async def test_a_function_that_may_write_needs_a_permission_of_its_own(own_posts: Library) -> None:
    added = 'mutation { add_to_score(args: {search: "Blake"}) { name points } }'
    for session in (NOBODY, READER, Session("old")):
        assert code_in(await own_posts.ask(added, session=session), added) == "validation-failed"
    by_id = "mutation { add_to_score_by_id(args: {id: 1}) { name } }"
    assert code_in(await own_posts.ask(by_id, session=ANONYMOUS), by_id) == "validation-failed"
    counted = "{ counted { id } }"
    assert code_in(await own_posts.ask(counted, session=READER), counted) == "validation-failed"
    assert await own_posts.value("SELECT sum(points) FROM score") == 60
    assert await own_posts.value("SELECT count(*) FROM calls") == 0


async def test_mutations(own_posts: Library) -> None:
    added = 'mutation { add_to_score(args: {search: "Bla", increment: 3}, order_by: {id: asc}) { name points role_echo } }'
    assert (await own_posts.ask(added, session=Session("admin", {"x-hasura-role": "admin"})))["data"]["add_to_score"] == [
        {"name": "Starke Blake", "points": 3, "role_echo": "admin"},
        {"name": "Bellamy Blake", "points": 13, "role_echo": "admin"},
        {"name": "Dora Black", "points": 53, "role_echo": "admin"},
    ]
    assert code_in(await own_posts.ask(added, session=USER("1")), added) == "validation-failed"
    permitted = 'mutation { add_to_score(args: {search: "Bla"}) { name points } }'
    seen = await own_posts.ask(permitted, session=ANONYMOUS)
    assert [row["name"] for row in seen["data"]["add_to_score"]] == ["Starke Blake", "Bellamy Blake"]
    one = "mutation { add_to_score_by_id(args: {id: 1}) { name points } }"
    assert await own_posts.ask(one, session=USER("1")) == {"data": {"add_to_score_by_id": {"name": "Starke Blake", "points": 5}}}
    assert await own_posts.value("SELECT sum(points) FROM score") == 73


async def test_mutations_of_one_request_are_all_or_nothing(own_posts: Library) -> None:
    both = "mutation { add_to_score_by_id(args: {id: 1}) { points } insert_calls(objects: {n: 1}) { affected_rows } }"
    assert code_in(await own_posts.ask(both), both) == "validation-failed"
    refused = "mutation { add_to_score_by_id(args: {id: 1}) { points } refuse { points } }"
    error = error_in(await own_posts.ask(refused, session=USER("1")), refused)
    assert error["message"] == "Check constraint violation. not like this" and error["extensions"]["code"] == "permission-error"
    assert await own_posts.value("SELECT sum(points) FROM score") == 60


async def test_what_may_write_runs_once(own_posts: Library) -> None:
    asked = "{ counted { id } all_articles { id } }"
    ids = [{"id": 1}, {"id": 2}]
    assert await own_posts.ask(asked, session=USER("1")) == {"data": {"counted": ids, "all_articles": ids}}
    assert await own_posts.value("SELECT count(*) FROM calls") == 1
    twice_looked_at = """{ counted_aggregate {
        aggregate { count } nodes { id shouted author { id } } again: aggregate { max { id shouted } } } }"""
    answer = await own_posts.ask(twice_looked_at)
    assert answer["data"]["counted_aggregate"]["aggregate"] == {"count": 3}
    assert [node["shouted"] for node in answer["data"]["counted_aggregate"]["nodes"]] == ["ARTICLE 1", "ARTICLE 2", "ARTICLE 3"]
    assert await own_posts.value("SELECT count(*) FROM calls") == 2


async def test_what_may_write_is_not_run_for_what_only_reads(own_posts: Library) -> None:
    """A GET, which foreign pages may send and caches repeat."""
    for text in (
        "{ counted { id } }",
        "{ all_articles { id } counted_aggregate { aggregate { count } } }",
        "mutation { refuse { points } }",
    ):
        answer = await own_posts.engine.execute(Request(text, reads_only=True), USER("1"))
        assert answer.refusal is not None and answer.refusal.code == "method-not-allowed"
    assert await own_posts.value("SELECT count(*) FROM calls") == 0
    only_read = await own_posts.engine.execute(Request("{ all_articles { id } }", reads_only=True), USER("1"))
    assert only_read.refusal is None


async def test_a_subscription_follows_a_function_that_only_reads(posts: Library) -> None:
    found = Request('subscription { search_articles(args: {search: "1"}) { id } }', {})
    live = await posts.engine.live_query(found, USER("1"))
    assert live is not None
    arguments = live.plan.arguments(live.shared, [b"[]"])
    [[_, answer]] = await posts.database.fetch_rows(live.plan.sql, arguments)
    assert answer == b'{"data" : {"search_articles" : [{"id":1}]}}'
    writes = "subscription { counted { id } }"
    assert code_in(await posts.ask(writes), writes) == "validation-failed"


async def test_what_the_schema_says(posts: Library) -> None:
    asked = """{ __schema { queryType { fields { name description type { kind name ofType { kind name } }
        args { name description type { kind name ofType { name } } } } } } }"""
    fields = {field["name"]: field for field in (await posts.ask(asked))["data"]["__schema"]["queryType"]["fields"]}
    found = fields["search_articles"]
    assert found["description"] == 'execute function "search_articles" which returns "article"'
    assert found["args"][0] == {
        "name": "args",
        "description": 'input parameters for function "search_articles"',
        "type": {"kind": "NON_NULL", "name": None, "ofType": {"name": "search_articles_args"}},
    }
    assert [argument["name"] for argument in found["args"]] == ["args", "distinct_on", "limit", "offset", "order_by", "where"]
    assert found["type"]["kind"] == "NON_NULL" and fields["article_at"]["type"] == {"kind": "OBJECT", "name": "article", "ofType": None}
    assert fields["my_add"]["description"] == "adds"
    aggregated = 'execute function "search_articles" and query aggregates on result of table type "article"'
    assert fields["search_articles_aggregate"]["description"] == aggregated
    assert "sumOfThree" in fields and "sumsOfThree" in fields and "written_aggregate" in fields
    assert fields["all_articles"]["args"][0]["name"] == "distinct_on"
    typed = '{ __type(name: "written_args") { inputFields { name type { kind name } } } }'
    expected = [{"name": "a", "type": {"kind": "SCALAR", "name": "author_scalar"}}]
    assert (await posts.ask(typed))["data"]["__type"]["inputFields"] == expected


async def test_without_inferring_each_role_needs_a_permission(posts: Library, posts_metadata: Path) -> None:
    rules, _, _ = role_rules(load_metadata(posts_metadata), posts.resolved.catalog, infer_functions=False)
    strict = replace(posts, engine=Engine.build(posts.resolved.catalog, rules, Unshared(posts.database)))
    inferred, explicit = '{ search_articles(args: {search: "2"}) { id } }', '{ __type(name: "query_root") { fields { name } } }'
    assert "errors" not in await posts.ask(inferred, session=USER("2"))
    assert "not found in type" in error_in(await strict.ask(inferred, session=USER("2")), inferred)["message"]
    fields = {field["name"] for field in (await strict.ask(explicit, session=USER("2")))["data"]["__type"]["fields"]}
    assert "counted" in fields and not {"search_articles", "search_articles_aggregate", "my_add"} & fields
    assert "errors" not in await strict.ask(inferred)
