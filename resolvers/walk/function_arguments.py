"""`args` of a function: what is given, and whether that is enough to call it; and `path`, which leads into a JSON value."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from permissions.errors import GraphQLRefusal
from permissions.expressions import Bound
from resolvers.documents.json_path import refused, steps
from resolvers.documents.limits import VALUE
from resolvers.ir import Call
from resolvers.walk.input_fields import input_fields
from resolvers.walk.parameter_text import array_of_texts, string_text
from resolvers.walk.rule_costs import CALL
from resolvers.walk.walk import ArgumentValue, Walk
from schema.model import SqlFunction
from schema.table_types.meaning import Argument, GivenTo, meaning_of


def function_call(walk: Walk, given: Iterable[ArgumentValue], function: SqlFunction, path: str) -> Call:
    """What is given to the function; null is given, absent is not. Raises Hasura's not-supported for what can't be called."""
    walk.budget.spend(CALL, path)
    args = next((argument for argument in given if argument.meaning == Argument("args")), None)
    if args is None:
        return {}
    call: dict[str, Bound | None] = {}
    for field, entry in input_fields(walk, args.value, walk.named(args.definition.type)):
        meaning = meaning_of(field)
        if not isinstance(meaning, GivenTo):
            raise TypeError(f"no argument of a function: {entry.path}")
        parameter = function.given[meaning.place]
        call[parameter.graphql_name] = None if entry.is_null else walk.bound.value(entry, parameter.type)
    _check(function, call, args.value.path)
    return call


def _check(function: SqlFunction, call: Call, path: str) -> None:
    """PostgreSQL can't leave out what has no default, nor give by name, after an omission, what has none."""
    omitted = False
    for parameter in function.given:
        if parameter.graphql_name not in call:
            if not parameter.has_default:
                raise GraphQLRefusal("not-supported", "Non default arguments cannot be omitted", path)
            omitted = True
        elif omitted and parameter.name is None:
            raise GraphQLRefusal("not-supported", "Only last set of positional arguments can be omitted", path)


def json_path(walk: Walk, given: Iterable[ArgumentValue], path: str) -> Bound | None:
    """The `path` into a JSON value, among the arguments of a field, as an array of texts; `path` is where the field stands."""
    argument = next((argument for argument in given if argument.meaning == Argument("path")), None)
    if argument is None:
        return None
    walk.budget.spend(VALUE, argument.value.path)
    return walk.bound.made(argument.value, "json path", partial(_steps_text, given_at=argument.value.path, field=path))


def _steps_text(value: Any, *, given_at: str, field: str) -> str | None:
    text = string_text(value, given_at)
    try:
        return None if text is None else array_of_texts(steps(text))
    except ValueError:
        raise refused(text or "", field) from None
