"""Which operation of a document runs, and what is said where none does: Hasura's `getSingleOperation`, case by case."""

import pytest

from permissions.errors import GraphQLRefusal
from resolvers.documents.document import read_operation

NAMELESS = "exactly one operation has to be present in the document when operationName is not specified"
SHORTHAND = "operationName cannot be used when an anonymous operation exists in the document"


@pytest.mark.parametrize(
    ("document", "name", "runs"),
    [
        ("{ a }", None, None),
        ("query { a }", None, None),
        ("query x { a }", None, "x"),
        ("query x { a } mutation y { b }", "y", "y"),
        ("query x { a } query x { b }", "x", "x"),
        ("query { a } query x { b }", "x", "x"),
        ("fragment f on t { a } query x { ...f }", "x", "x"),
    ],
)
def test_one_runs(document: str, name: str | None, runs: str | None) -> None:
    assert read_operation(document, name).name == runs


@pytest.mark.parametrize(
    ("document", "name", "told"),
    [
        ("query x { a } query y { b }", None, NAMELESS),
        ("{ a } query x { b }", None, NAMELESS),
        ("{ a } { b }", None, NAMELESS),
        ("fragment f on t { a }", None, NAMELESS),
        ("{ a }", "x", SHORTHAND),
        ("{ a } query x { b }", "x", SHORTHAND),
        ("query x { b } { a }", "x", SHORTHAND),
        ("query { a }", "x", 'no such operation found in the document: "x"'),
        ("query x { a }", "X", 'no such operation found in the document: "X"'),
        ("fragment x on t { a } query y { ...x }", "x", 'no such operation found in the document: "x"'),
    ],
)
def test_none_runs(document: str, name: str | None, told: str) -> None:
    with pytest.raises(GraphQLRefusal) as refused:
        read_operation(document, name)
    assert (refused.value.code, refused.value.path, str(refused.value)) == ("validation-failed", "$", told)
