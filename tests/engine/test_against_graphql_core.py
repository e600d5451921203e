"""The walk against graphql-core's own validation: they agree on every document but for Hasura's known leniency."""

import pytest
from graphql import NoUnusedVariablesRule, parse, specified_rules, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.request import Request
from tests.engine.library import Library, session_of

PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})
RULES = [rule for rule in specified_rules if rule is not NoUnusedVariablesRule]

leaf_fields = st.sampled_from(["id", "title", "stock", "pages", "__typename", "nothing", "x: id", "x: title", "name"])
comparisons = st.sampled_from(
    ["{}", "{_eq: 1}", '{_eq: "a"}', "{_in: [1, 2]}", "{_ne: 1}", "{_is_null: true}", "{_is_null: 1}", "{_gt: $n}", "{_like: $t}"]
)
columns = st.sampled_from(["id", "title", "stock", "pages", "author", "reviews", "nothing"])


def boolean(depth: int) -> st.SearchStrategy[str]:
    simple = st.builds(lambda column, comparison: f"{{{column}: {comparison}}}", columns, comparisons)
    if depth == 0:
        return simple
    inner = boolean(depth - 1)
    return st.one_of(
        simple,
        st.builds("{{_and: [{}]}}".format, inner),
        st.builds("{{_or: {}}}".format, inner),
        st.builds("{{_not: {}}}".format, inner),
        st.builds("{{author: {}}}".format, inner),
        st.builds("{{reviews: {}}}".format, inner),
    )


arguments = st.one_of(
    st.just(""),
    st.builds("(where: {})".format, boolean(2)),
    st.sampled_from(
        [
            "(limit: 1)",
            "(limit: $n)",
            '(limit: "1")',
            "(order_by: {id: asc})",
            "(order_by: {id: up})",
            "(order_by: [{author: {name: desc}}])",
            "(distinct_on: [id])",
            "(distinct_on: stock)",
            "(foo: 1)",
            "(where: $w)",
        ]
    ),
)


def selection(depth: int) -> st.SearchStrategy[str]:
    inner = st.lists(leaf_fields, min_size=1, max_size=3, unique=True).map(" ".join)
    if depth == 0:
        return inner
    nested = st.builds(
        lambda name, args, below: f"{name}{args} {{ {below} }}",
        st.sampled_from(["author", "reviews", "siblings", "loans", "nothing"]),
        arguments,
        selection(depth - 1),
    )
    return st.builds(lambda left, right: f"{left} {right}", inner, st.one_of(st.just(""), nested))


documents = st.builds(
    lambda root, args, below: f'subscription ($n: Int = 1, $t: String = "a", $w: book_bool_exp) {{ {root}{args} {{ {below} }} }}',
    st.sampled_from(["book", "author", "member", "nothing"]),
    arguments,
    selection(2),
)


@pytest.mark.anyio
@given(documents)
@settings(max_examples=400, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("session", [PATRON, Session("admin")], ids=lambda session: session.role)
async def test_both_accept_or_both_refuse(books: Library, session: Session, document: str) -> None:
    schema = books.engine._views.of(session).schema._schema
    theirs = [error.message for error in validate(schema, parse(document), RULES)]
    try:
        await books.engine.live_query(Request(document), session)
    except GraphQLRefusal as refused:
        # Built-in types are stricter here only where Hasura has words of its own.
        assert theirs or "distinct_on" in refused.message, (document, refused.message)
    else:
        lenient = [message for message in theirs if 'Int cannot represent non-integer value: "' not in message]
        assert not lenient, (document, theirs)
