"""Directives, fragments and fields of one key: in Hasura's words and places (`Directives.hs`, `Inline.hs`, `Collect.hs`)."""

import pytest

from tests.engine.library import Library
from tests.support.refusals import error_in

BOOK = "$.selectionSet.book.selectionSet"
REFUSED = [
    ("{ book { id @exclude(if: true) } }", BOOK, "directive 'exclude' is not defined in the schema"),
    ("{ book { id @skip(if: true) @exclude } }", BOOK, "directive 'exclude' is not defined in the schema"),
    ("{ book { id @include(if: true) @include(if: true) } }", BOOK, "the following directives are used more than once: ['include']"),
    ("{ book { id @cached } }", BOOK, "directive 'cached' is not allowed on a field"),
    ("{ ... @cached { book { id } } }", "$.selectionSet", "directive 'cached' is not allowed on an inline fragment"),
    ("{ book { id @include } }", f"{BOOK}.include.args.if", "missing required field 'if'"),
    ("{ book { id @include(if: 1) } }", f"{BOOK}.include.args.if", "expected a boolean for type 'Boolean', but found an integer"),
    (
        "query ($i: Boolean = null) { book { id @include(if: $i) } }",
        f"{BOOK}.include.args.if",
        "variable 'i' is declared as 'Boolean', but used where 'Boolean!' is expected",
    ),
    ("{ book { id @skip(if: true, of: 1) } }", f"{BOOK}.skip", "'skip' has no argument named 'of'"),
    ("query @include(if: true) { book { id } }", "$", "directive 'include' is not allowed on a query"),
    ("query @exclude { book { id } }", "$", "directive 'exclude' is not defined in the schema"),
    ("query @cached @cached { book { id } }", "$", "the following directives are used more than once: ['cached']"),
    ("query @cached(ttl: \"x\") { book { id } }", "$.cached.args.ttl", "expected a 32-bit integer for type 'Int', but found a string"),
    ("mutation @cached { delete_book(where: {}) { affected_rows } }", "$", "directive 'cached' is not allowed on a mutation"),
    ("query @_multiple_top_level_fields { book { id } }", "$", "directive '_multiple_top_level_fields' is not allowed on a query"),
    ("{ book { ...a } } fragment a on book { ...a }", f"{BOOK}.a.selectionSet", 'the fragment definition(s) "a" form a cycle'),
    (
        "{ book { ...a } } fragment a on book { author { ...b } } fragment b on author { books { ...c } } fragment c on book { ...a }",
        f"{BOOK}.a.selectionSet.author.selectionSet.b.selectionSet.books.selectionSet.c.selectionSet",
        'the fragment definition(s) "a", "b", and "c" form a cycle',
    ),
    ("{ book { ...nope } }", BOOK, 'reference to undefined fragment "nope"'),
    ("{ a: book { id } a: author { id } }", "$.selectionSet", "selection of both 'book' and 'author' specify the same response name, 'a'"),
    ("{ book(limit: 1) { id } book { id } }", "$.selectionSet", "inconsistent arguments between multiple selections of field 'book'"),
]  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize(("query", "path", "message"), REFUSED)
async def test_refused(books: Library, query: str, path: str, message: str) -> None:
    error = error_in(await books.ask(query), query)
    assert (error["message"], error["extensions"]) == (message, {"code": "validation-failed", "path": path})
    assert await books.value("SELECT count(*) FROM book") > 0


@pytest.mark.anyio
async def test_two_fragments_of_one_name(books: Library) -> None:
    query = "{ book { ...a } } fragment a on book { id } fragment a on book { title }"
    error = error_in(await books.ask(query), query)
    assert error["message"] == 'multiple definitions for fragment "a"'
    assert error["extensions"] == {"code": "parse-failed", "path": "$"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "query",
    [
        "query @cached(ttl: 5, refresh: true) { book_by_pk(id: 1) { id } }",
        "{ book_by_pk(id: 1) { id @include(if: true) @skip(if: false) title @include(if: false) @skip(if: false) } }",
        # What is not spread is not looked at.
        "{ book_by_pk(id: 1) { id } } fragment a on book { ...a ...nope }",
        "query ($i: Boolean = true) { ...a @include(if: $i) } fragment a on query_root @exclude { book_by_pk(id: 1) { id } }",
    ],
)
async def test_taken(books: Library, query: str) -> None:
    assert await books.ask(query) == {"data": {"book_by_pk": {"id": 1}}}


@pytest.mark.anyio
async def test_thousands_of_fragments_are_no_recursion(books: Library) -> None:
    chain = " ".join(f"fragment f{number} on book {{ ...f{number + 1} }}" for number in range(1500))
    query = f"{{ book {{ ...f0 }} }} {chain} fragment f1500 on book {{ ...f0 }}"
    assert "form a cycle" in error_in(await books.ask(query), "a chain")["message"]
