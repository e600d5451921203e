"""Reads `api_limits`. What can't be read refuses the start: a slip of the pen must not be no limit.

Hasura: `Hasura.RQL.Types.ApiLimit`, and `state`, which its console writes beside each limit.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from permissions.api_limits import ApiLimit, ApiLimits, RateLimit
from permissions.reading.nodes import Node, Position

T = TypeVar("T")

_KEYS = frozenset({"disabled", "depth_limit", "node_limit", "time_limit", "batch_limit", "rate_limit"})
_STATES = ("enabled", "disabled")


def read_api_limits(node: Node | None) -> ApiLimits:
    """Hasura: `{disabled, <kind>_limit: {global, per_role: {<role>: …}}}`. Raises MetadataError."""
    if node is None:
        return ApiLimits()
    node.only(_KEYS, "`api_limits`")
    disabled = node.get("disabled")
    limits = ApiLimits(
        depth=_limit(node.get("depth_limit"), _count),
        nodes=_limit(node.get("node_limit"), _count),
        seconds=_limit(node.get("time_limit"), _seconds),
        batch=_limit(node.get("batch_limit"), _count),
        rate=_limit(node.get("rate_limit"), _rate),
    )
    return ApiLimits() if disabled is not None and disabled.flag("`disabled`") else limits


def limited_roles(node: Node | None) -> Mapping[str, Position]:
    """Where each role stands that has a limit of its own; asked of a section that could be read."""
    limits = [] if node is None else [limit for key in sorted(_KEYS - {"disabled"}) if (limit := node.get(key))]
    per_role = [roles for limit in limits if (roles := limit.get("per_role"))]
    return {role: own.position for roles in per_role for role, own in roles.mapping("`per_role`").items()}


def _limit(node: Node | None, read: Callable[[Node], T]) -> ApiLimit[T] | None:
    if node is None:
        return None
    node.only(frozenset({"global", "per_role", "state"}), "A limit")
    per_role = node.get("per_role")
    roles = {} if per_role is None else per_role.mapping("`per_role`")
    limit = ApiLimit(read(node.required("global", "A limit")), {role: read(own) for role, own in roles.items()})
    state = node.get("state")
    if state is not None and state.text("`state`") not in _STATES:
        raise state.error(f"`state` is one of {', '.join(_STATES)}, not {state.value}.")
    return None if state is not None and state.value == "disabled" else limit


def _count(node: Node) -> int:
    if not isinstance(node.value, int) or isinstance(node.value, bool) or node.value < 1:
        raise node.error("A limit is a whole number of 1 or more.")
    return node.value


def _seconds(node: Node) -> float:
    if not isinstance(node.value, int | float) or isinstance(node.value, bool) or not 0.001 <= node.value <= 86_400:
        raise node.error("`time_limit` is a number of seconds, from 0.001 to 86400.")
    return float(node.value)


def _rate(node: Node) -> RateLimit:
    node.only(frozenset({"max_reqs_per_min", "unique_params"}), "`rate_limit`")
    most = _count(node.required("max_reqs_per_min", "`rate_limit`"))
    unique = node.get("unique_params")
    if unique is None:
        return RateLimit(most)
    if isinstance(unique.value, str):
        if unique.value.lower() != "ip":
            raise _not_unique(unique)
        return RateLimit(most, by_address=True)
    if not isinstance(unique.value, list):
        raise _not_unique(unique)
    return RateLimit(most, by_variables=tuple(_variable(entry) for entry in unique.items("`unique_params`")))


def _variable(node: Node) -> str:
    name = node.value.lower() if isinstance(node.value, str) else ""
    if not name.startswith("x-hasura-") or name == "x-hasura-role":
        raise _not_unique(node)
    return name


def _not_unique(node: Node) -> Exception:
    return node.error("Not a valid value. Should be either: 'IP' or a list of Hasura session variables.")
