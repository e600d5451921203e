"""Every operator on real rows: each case names the rows it lets through, and every other row is refused."""

import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from permissions.errors import GraphQLRefusal
from schema.model import PgType
from schema.operators import OPERATORS
from tests.permissions.databases import Sample, document, table
from tests.support.databases import Databases

TABLES = """
CREATE TYPE mood AS ENUM ('calm', 'glad', 'sad');
CREATE TABLE thing (
  id int PRIMARY KEY, n int, big bigint, price numeric(8, 2), word text, code varchar(9), flag boolean,
  key uuid, day date, mood mood, doc jsonb, words text[], numbers int[], other_n int
);
INSERT INTO thing VALUES
  (1, 1, 10000000000, 1.50, 'apple', 'a1', true, '00000000-0000-4000-8000-000000000001', '2024-01-01', 'calm',
   '{"a": 1, "b": [1, 2]}', '{x,y}', '{1,2}', 1),
  (2, 2, 20000000000, 2.50, 'Apricot', 'a_2', false, '00000000-0000-4000-8000-000000000002', '2024-02-01', 'glad',
   '{"a": 2}', '{x}', '{2}', 1),
  (3, 3, 30000000000, 3.50, 'plum', 'p%3', true, '00000000-0000-4000-8000-000000000003', '2024-03-01', 'sad',
   '{"c": null}', '{}', '{}', 9),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""
SESSION = {
    "x-hasura-n": "2",
    "x-hasura-ns": "{1,3}",
    "x-hasura-none": "{}",
    "x-hasura-word": "plum",
    "x-hasura-key": "00000000-0000-4000-8000-000000000002",
    "x-hasura-words": '{x,"y"}',
    "x-hasura-doc": '{"a": 2}',
    "x-hasura-path": "$.a == 2",
    "x-hasura-mood": "sad",
    "x-hasura-team.id": "3",
    "x-hasura-user-id": "00000000-0000-4000-8000-000000000001",
}
KEY_1 = "00000000-0000-4000-8000-000000000001"

CASES: list[tuple[str, Any, list[int]]] = [
    ("empty_rule", {}, [1, 2, 3, 4]),
    ("empty_operators", {"n": {}}, [1, 2, 3, 4]),
    ("empty_and", {"_and": []}, [1, 2, 3, 4]),
    ("empty_or", {"_or": []}, []),
    ("not_everything", {"_not": {}}, []),
    ("eq", {"n": {"_eq": 2}}, [2]),
    ("eq_old_spelling", {"n": {"$eq": 2}}, [2]),
    ("eq_shorthand", {"n": 2}, [2]),
    ("eq_shorthand_session", {"n": "X-Hasura-N"}, [2]),
    ("eq_session_any_case", {"n": {"_eq": "x-HASURA-n"}}, [2]),
    ("eq_session_of_any_letters", {"n": {"_eq": "X-Hasura-Team.Id"}}, [3]),
    ("eq_old_name_of_the_person", {"key": {"_eq": "REQ_USER_ID"}}, [1]),
    ("eq_old_name_any_case", {"key": "req_User_id"}, [1]),
    ("eq_number_as_text", {"n": {"_eq": "2"}}, [2]),
    ("eq_bigint", {"big": {"_eq": 20000000000}}, [2]),
    ("eq_numeric", {"price": {"_eq": 2.5}}, [2]),
    ("eq_true", {"flag": {"_eq": True}}, [1, 3]),
    ("eq_false", {"flag": False}, [2]),
    ("eq_uuid", {"key": {"_eq": KEY_1}}, [1]),
    ("eq_uuid_session", {"key": {"_eq": "X-Hasura-Key"}}, [2]),
    ("eq_enum", {"mood": {"_eq": "glad"}}, [2]),
    ("eq_enum_session", {"mood": {"_eq": "X-Hasura-Mood"}}, [3]),
    ("gt_enum", {"mood": {"_gt": "calm"}}, [2, 3]),
    ("eq_array", {"words": {"_eq": ["x", "y"]}}, [1]),
    ("eq_array_empty", {"words": {"_eq": []}}, [3]),
    ("eq_json", {"doc": {"_eq": {"a": 2}}}, [2]),
    ("eq_json_session", {"doc": {"_eq": "X-Hasura-Doc"}}, [2]),
    ("eq_null", {"n": {"_eq": None}}, [4]),
    ("eq_null_of_not_null_column", {"id": {"_eq": None}}, []),
    ("not_eq_null", {"_not": {"n": {"_eq": None}}}, []),
    ("neq", {"n": {"_neq": 2}}, [1, 3]),
    ("ne_alias", {"n": {"_ne": 2}}, [1, 3]),
    ("neq_null", {"n": {"_neq": None}}, [1, 2, 3]),
    ("not_neq_null", {"_not": {"n": {"_neq": None}}}, []),
    ("neq_null_of_not_null_column", {"id": {"_neq": None}}, []),
    ("gt_null", {"n": {"_gt": None}}, []),
    ("not_gt_null", {"_not": {"n": {"_gt": None}}}, []),
    ("gt", {"n": {"_gt": 1}}, [2, 3]),
    ("lt", {"n": {"_lt": 2}}, [1]),
    ("gte", {"n": {"_gte": 2}}, [2, 3]),
    ("lte", {"n": {"_lte": 2}}, [1, 2]),
    ("between", {"n": {"_gt": 1, "_lt": 3}}, [2]),
    ("gt_date", {"day": {"_gt": "2024-01-31"}}, [2, 3]),
    ("date_before_now", {"day": {"_lt": "now"}}, [1, 2, 3]),
    ("in", {"n": {"_in": [1, 3]}}, [1, 3]),
    ("in_session", {"n": {"_in": "X-Hasura-Ns"}}, [1, 3]),
    ("in_session_empty", {"n": {"_in": "X-Hasura-None"}}, []),
    ("in_list_of_literals", {"word": {"_in": ["X-Hasura-Word", "apple"]}}, [1]),
    ("in_empty", {"n": {"_in": []}}, []),
    ("in_with_null", {"n": {"_in": [1, None]}}, [1]),
    ("in_enum", {"mood": {"_in": ["sad", "calm"]}}, [1, 3]),
    ("in_needs_quotes", {"word": {"_in": ["apple", 'a"b', "c\\d", "e,f"]}}, [1]),
    ("nin", {"n": {"_nin": [1, 3]}}, [2]),
    ("nin_session", {"n": {"_nin": "X-Hasura-Ns"}}, [2]),
    ("nin_list_of_literals", {"word": {"_nin": ["X-Hasura-Word", "REQ_USER_ID", "apple"]}}, [2, 3]),
    ("nin_empty", {"n": {"_nin": []}}, [1, 2, 3, 4]),
    ("nin_with_null", {"n": {"_nin": [1, None]}}, []),
    ("is_null", {"n": {"_is_null": True}}, [4]),
    ("is_not_null", {"n": {"_is_null": False}}, [1, 2, 3]),
    ("is_null_array", {"words": {"_is_null": True}}, [4]),
    ("like", {"word": {"_like": "ap%"}}, [1]),
    ("like_session", {"word": {"_like": "X-Hasura-Word"}}, [3]),
    ("like_escaped", {"code": {"_like": "a\\_2"}}, [2]),
    ("nlike", {"word": {"_nlike": "ap%"}}, [2, 3]),
    ("ilike", {"word": {"_ilike": "ap%"}}, [1, 2]),
    ("nilike", {"word": {"_nilike": "ap%"}}, [3]),
    ("similar", {"word": {"_similar": "(apple|plum)"}}, [1, 3]),
    ("nsimilar", {"word": {"_nsimilar": "(apple|plum)"}}, [2]),
    ("regex", {"word": {"_regex": "^[aA]p"}}, [1, 2]),
    ("nregex", {"word": {"_nregex": "^[aA]p"}}, [3]),
    ("iregex", {"word": {"_iregex": "^AP"}}, [1, 2]),
    ("niregex", {"word": {"_niregex": "^AP"}}, [3]),
    ("contains_json", {"doc": {"_contains": {"b": [2]}}}, [1]),
    ("contains_json_session", {"doc": {"_contains": "X-Hasura-Doc"}}, [2]),
    ("contained_in_json", {"doc": {"_contained_in": {"a": 2, "z": 1}}}, [2]),
    ("has_key", {"doc": {"_has_key": "a"}}, [1, 2]),
    ("has_keys_any", {"doc": {"_has_keys_any": ["b", "c"]}}, [1, 3]),
    ("has_keys_any_empty", {"doc": {"_has_keys_any": []}}, []),
    ("has_keys_any_of_literals", {"doc": {"_has_keys_any": ["X-Hasura-Word", "c"]}}, [3]),
    ("has_keys_all", {"doc": {"_has_keys_all": ["a", "b"]}}, [1]),
    ("path_exists", {"doc": {"_jsonb_path_exists": "$.b[*] ? (@ == 2)"}}, [1]),
    ("path_match_session", {"doc": {"_jsonb_path_match": "X-Hasura-Path"}}, [2]),
    ("contains_array", {"words": {"_contains": ["x"]}}, [1, 2]),
    ("contains_array_session", {"words": {"_contains": "X-Hasura-Words"}}, [1]),
    ("in_arrays", {"words": {"_in": [["x", "y"], []]}}, [1, 3]),
    ("nin_arrays", {"numbers": {"_nin": [[1, 2], [1, 3]]}}, [2, 3]),
    ("contained_in_array", {"numbers": {"_contained_in": [2, 7]}}, [2, 3]),
    ("ceq", {"n": {"_ceq": "other_n"}}, [1]),
    ("cne_alias", {"n": {"_cne": ["other_n"]}}, [2, 3]),
    ("cneq", {"n": {"_cneq": "other_n"}}, [2, 3]),
    ("cgt", {"n": {"_cgt": "other_n"}}, [2]),
    ("clt", {"n": {"_clt": "other_n"}}, [3]),
    ("cgte", {"n": {"_cgte": ["$", "other_n"]}}, [1, 2]),
    ("clte", {"n": {"_clte": "other_n"}}, [1, 3]),
    ("keys_of_one_object", {"n": {"_gt": 1}, "flag": {"_eq": True}}, [3]),
    ("and", {"_and": [{"n": {"_gt": 1}}, {"flag": {"_eq": True}}]}, [3]),
    ("or", {"_or": [{"n": {"_eq": 1}}, {"word": {"_eq": "plum"}}]}, [1, 3]),
    ("not", {"_not": {"n": {"_eq": 1}}}, [2, 3]),
    ("exists", {"_exists": {"_table": {"schema": "public", "name": "thing"}, "_where": {"n": "X-Hasura-N"}}}, [1, 2, 3, 4]),
    ("exists_not", {"_exists": {"_table": "thing", "_where": {"n": {"_gt": 9}}}}, []),
    ("exists_of_anything", {"_exists": {"_table": "thing", "_where": {}}}, [1, 2, 3, 4]),
    ("exists_same_n", {"_exists": {"_table": "thing", "_where": {"other_n": {"_ceq": ["$", "n"]}}}}, [1]),
]


@pytest.fixture(scope="module")
def things(databases: Databases) -> Iterator[Sample]:
    """A database with the table `thing`."""
    with databases.temporary() as url, Sample(url, TABLES) as sample:
        yield sample


@pytest.mark.parametrize(("rule", "expected"), [pytest.param(rule, rows, id=name) for name, rule, rows in CASES])
def test_rows_that_an_operator_lets_through(things: Sample, rule: Any, expected: list[int]) -> None:
    assert things.visible(document(table("thing", rule)), "thing", SESSION) == expected


@pytest.mark.parametrize(
    ("rule", "text"), [({"n": {"_in": "X-Hasura-Word"}}, "malformed array literal"), ({"n": "X-Hasura-Word"}, "integer")]
)
def test_a_session_value_that_does_not_fit_is_an_error_of_postgresql(things: Sample, rule: Any, text: str) -> None:
    with pytest.raises(asyncpg.DataError, match=text):
        things.visible(document(table("thing", rule)), "thing", SESSION)


@pytest.mark.parametrize(
    ("name", "rule"), [(name, rule) for name, rule, _ in CASES if re.search("asura|req_", str(rule), re.I) and "literals" not in name]
)
def test_a_missing_session_variable_is_told(things: Sample, name: str, rule: Any) -> None:
    with pytest.raises(GraphQLRefusal, match='missing session variable: "x-hasura-') as refused:
        things.visible(document(table("thing", rule)), "thing", {})
    assert refused.value.code == "not-found"


@pytest.mark.parametrize("dead", [{"_or": [{}, {"n": "X-Hasura-N"}]}, {"_and": [{"_or": []}, {"n": {"_in": "X-Hasura-Ns"}}]}])
def test_a_missing_session_variable_is_told_in_a_dead_branch_too(things: Sample, dead: Any) -> None:
    with pytest.raises(GraphQLRefusal):
        things.visible(document(table("thing", dead)), "thing", {})


def test_a_role_without_a_permission_sees_nothing(things: Sample) -> None:
    assert things.visible(document(table("thing")), "thing", SESSION) == []


def test_a_pattern_for_citext_is_citext() -> None:
    assert OPERATORS["_like"].operand_type(PgType("citext")) == PgType("citext")
    assert OPERATORS["_like"].operand_type(PgType("varchar")) == PgType("text")
