"""What is written in the metadata and has no effect here: told at the start, so that nothing is ignored in silence.

Nobody keeps a list of such keys. Whatever no reader has looked at is one of them, whether Hasura knows the key or nobody does.
"""

from collections.abc import Iterator

from permissions.reading.nodes import Node, Problem
from permissions.session import PREFIX

# Hasura's keys whose absence here is worth more than the general sentence.
_SENTENCES = {
    "configuration": "`configuration` of a source has no effect: the connection is this service's own setting.",
    "custom_types": "`custom_types` have no effect: actions of foreign metadata are not served.",
    "definition": "`definition` has no effect: an action's handler is never called, and the action is not served.",
    "network": "`network` has no effect: nothing is asked of other hosts in the name of the metadata.",
    "metrics_config": "`metrics_config` has no effect: /metrics is this service's own.",
    "opentelemetry": "`opentelemetry` has no effect.",
    "backend_configs": "`backend_configs` have no effect: there are no data connectors.",
}


def unknown(document: Node) -> tuple[Problem, ...]:
    """Those of them that are in no list of Hasura's keys above: in metadata that is wholly served, slips of the pen."""
    return tuple(Problem(node.position, f"There is no key `{key}` here.") for key, node in document.unread() if key not in _SENTENCES)


def unused(document: Node) -> tuple[Problem, ...]:
    """Every key that no reader has looked at."""
    return tuple(Problem(node.position, _SENTENCES.get(key, f"`{key}` has no effect here.")) for key, node in document.unread())


def literal_variables(node: Node, *, in_rule: bool = False) -> Iterator[Problem]:
    """What looks like a session variable and stands in a list of a rule: it is a literal there, and the rule is not what it seems."""
    match node.value:
        case dict():
            for key, below in node.value.items():
                yield from literal_variables(below, in_rule=in_rule or key in ("filter", "check"))
        case list():
            for entry in node.value:
                if in_rule and isinstance(entry.value, str) and entry.value.lower().startswith(PREFIX):
                    told = "stands in a list, where it is a text and no session variable; name one variable in place of the list."
                    yield Problem(entry.position, f"`{entry.value}` {told}")
                yield from literal_variables(entry, in_rule=in_rule)
