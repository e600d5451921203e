"""Introspection that multiplies, and all that a tool may ask, again and again in another form."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import get_introspection_query

from tests.hostile.attacked_service import AttackedService
from tests.hostile.documents import flood
from tests.hostile.scale import scaled

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

FULL = get_introspection_query(input_value_deprecation=True)
FRAGMENTS = FULL[FULL.index("fragment") :]

MULTIPLY = [
    "{__schema{types{inputFields{type{inputFields{type{name}}}}}}}",
    "{__schema{types{inputFields{type{inputFields{type{inputFields{type{inputFields{type{name}}}}}}}}}}}",
    "{__schema{types{...A}}} fragment A on __Type{fields{type{ofType{...B}}}} fragment B on __Type{fields{type{ofType{...C}}}}"
    " fragment C on __Type{fields{type{ofType{name}}}}",
    "{__schema{types{possibleTypes{fields{type{interfaces{fields{name}}}}}}}}",
    "{" + " ".join(f"a{number}:__schema{{types{{...FullType}}}}" for number in range(40)) + "}" + FRAGMENTS,
    "{__schema{types{" + " ".join(f"a{number}:fields{{b:name args{{type{{...TypeRef}}}}}}" for number in range(400)) + "}}}" + FRAGMENTS,
    "{__schema{types{fields{type{" + " ".join(f"a{number}:fields{{name type{{name}}}}" for number in range(400)) + "}}}}}",
]


def never_the_same(documents: list[str], times: int) -> Iterator[dict[str, Any]]:
    """Each form of a document is new to every cache."""
    for number in range(times):
        for document in documents:
            yield {"query": document.replace("__schema", f"n{number}:__schema", 1) if "a0:" not in document else f"#{number}\n{document}"}


async def test_what_multiplies(attacked: AttackedService) -> None:
    async with attacked.good_neighbour():
        answered = await flood(attacked, never_the_same(MULTIPLY, scaled(30, 4)))
    assert answered["validation-failed"] >= answered.total() / 2


@pytest.mark.parametrize("name", ["bob", None])
async def test_the_whole_schema_again_and_again(name: str | None, attacked: AttackedService) -> None:
    async with attacked.good_neighbour():
        answered = await flood(attacked, never_the_same([FULL], scaled(100, 15)), attacked.bearer(name) if name else None)
    assert answered == {"data": scaled(100, 15)}


async def test_everybody_s_console(attacked: AttackedService) -> None:
    async with attacked.good_neighbour():
        answered = await flood(attacked, ({"query": FULL} for _ in range(scaled(1000, 200))), attacked.bearer("bob"))
    assert answered == {"data": scaled(1000, 200)}
