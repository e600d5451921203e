"""Allow lists as they are written: what can't be read is told with its line and allows nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import parse

from permissions.allow_list import AllowList, normalized
from permissions.reading.entries import Metadata
from permissions.reading.metadata import load_metadata

QUERY = {"name": "q", "query": "query Q { a }"}
Q = normalized(parse("query Q { a }"))


def read(folder: Path, collections: list[Any], allowlist: list[Any]) -> Metadata:
    file = folder / "metadata.json"
    sources = [{"name": "default", "kind": "postgres", "tables": []}]
    file.write_text(json.dumps({"version": 3, "sources": sources, "query_collections": collections, "allowlist": allowlist}, indent=1))
    return load_metadata(file)


def collection(name: str = "c", *queries: Any) -> dict[str, Any]:
    return {"name": name, "definition": {"queries": list(queries) or [QUERY]}}


def test_scopes(tmp_path: Path) -> None:
    entries = [{"collection": "c", "scope": {"global": True}}, {"collection": "d", "scope": {"global": False, "roles": ["r", "s"]}}]
    metadata = read(tmp_path, [collection(), collection("d", {"name": "d", "query": "{ d }"})], entries)
    assert (metadata.problems, metadata.unused) == ((), ())
    of_d = frozenset({normalized(parse("{ d }"))})
    assert metadata.allow_list == AllowList(frozenset({Q}), {"r": of_d, "s": of_d})
    assert set(metadata.roles_of_requests) == {"r", "s"}


@pytest.mark.parametrize(
    ("collections", "allowlist", "sentence"),
    [
        ([collection("c", {"name": "q", "query": "query Q { a"})], [{"collection": "c"}], "The query q is no GraphQL document"),
        ([collection()], [{"collection": "d"}], "There is no query collection d."),
        ([collection()], [{"collection": "c", "scope": {"global": True, "roles": ["r"]}}], "roles are not allowed when global is true"),
        ([collection()], [{"collection": "c", "scope": {"global": False, "roles": ["r", "r"]}}], "duplicate roles are not allowed"),
        ([collection()], [{"collection": "c", "scope": {"global": False}}], "needs `roles`"),
        ([collection()], [{"collection": "c", "scope": {"global": False, "roles": []}}], "at least one role"),
        ([collection()], [{"collection": "c", "scope": {"gobal": False}}], "no key `gobal`"),
        ([{"name": "c"}], [{"collection": "c"}], "needs `definition`"),
    ],
)
def test_slips_allow_nothing(tmp_path: Path, collections: list[Any], allowlist: list[Any], sentence: str) -> None:
    metadata = read(tmp_path, collections, allowlist)
    assert metadata.allow_list == AllowList()
    assert any(sentence in problem.sentence and problem.position.line > 8 for problem in metadata.problems)


def test_what_is_in_no_list_is_told(tmp_path: Path) -> None:
    metadata = read(tmp_path, [collection(), collection("d")], [{"collection": "c"}])
    assert [problem.sentence for problem in metadata.unused] == ["The collection d has no effect: it is in no allow list."]
    twice = read(tmp_path, [collection(), collection("c", {"name": "d", "query": "{ d }"})], [{"collection": "c"}])
    assert twice.allow_list == AllowList(frozenset({Q}))
    assert "defined twice" in twice.problems[0].sentence


@pytest.mark.parametrize(
    ("one", "other", "are_the_same"),
    [
        ("query Q { a b { c } }", "query Q{a,b{c __typename}__typename}", True),
        ("query Q { a b }", "query Q { b a }", False),
        ("query Q { a(x: 1, y: 2) }", "query Q { a(y: 2, x: 1) }", False),
        ("query Q { a }", "query R { a }", False),
        ("query Q { ...F } fragment F on x { a __typename }", "query Q { ...F } fragment F on x { a }", True),
        ("{ a ... on x { __typename b } }", "{ a ... on x { b } }", False),
        ("{ a @include(if: true) }", "{ a }", False),
    ],
)
def test_how_documents_are_compared(one: str, other: str, are_the_same: bool) -> None:
    assert (normalized(parse(one)) == normalized(parse(other))) is are_the_same
