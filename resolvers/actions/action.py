"""A function as an action's root field."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import strawberry
from strawberry.types import Info
from strawberry.utils.str_converters import capitalize_first, to_camel_case

from resolvers.hand_written.context import Context
from schema.types.camel_case import camel_type

Input = TypeVar("Input")
Payload = TypeVar("Payload")


def action(act: Callable[..., Awaitable[Payload]]) -> Any:
    """The root field of the function's name; its docstring is what a client reads, its third parameter the argument `input`.

    One with a fourth, `principal`, is told whose share of the service the request comes from.

    Each action has a payload type of its name in the API. A function may answer with its own (`JoinCallPayload`), or with a shape
    that several share (`ParticipantPayload`): then a type of the action's name with the same fields is made of it. A list of them is
    one as well.
    """
    hints, parameters = get_type_hints(act), inspect.signature(act).parameters
    given, told_of_principal = parameters["input"], "principal" in parameters

    async def resolve(info: Info[Context, None], input: Input = given.default) -> Payload:
        asked = info.context
        more = [asked.principal] if told_of_principal else []
        return await act(asked.world, asked.session, input, *more)

    payload = _payload(hints["return"], f"{capitalize_first(to_camel_case(act.__name__))}Payload")
    info = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
    resolve.__name__ = act.__name__
    resolve.__signature__ = inspect.Signature([info, given.replace(annotation=hints["input"])], return_annotation=payload)  # type: ignore[attr-defined]
    return strawberry.field(resolver=resolve, description=(act.__doc__ or "").strip())


def _payload(answer: Any, name: str) -> Any:
    if get_origin(answer) is not list:
        return _named(answer, name)
    (shape,) = get_args(answer)
    return list[_named(shape, name)]  # type: ignore[misc]


def _named(shape: type, name: str) -> type:
    return shape if shape.__name__ == name else camel_type(type(name, (shape,), {}))
