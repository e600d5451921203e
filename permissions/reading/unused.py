"""What is written in the metadata and has no effect here: told at the start, so that nothing is ignored in silence.

Nobody keeps a list of such keys. Whatever no reader has looked at is one of them, whether Hasura knows the key or nobody does.
"""

from permissions.reading.nodes import Node, Problem

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
