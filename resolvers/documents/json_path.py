"""`path` of a json or jsonb value: Hasura's own dialect of JSON path (its `Data/Parser/JSONPath.hs`), as PostgreSQL's list of steps."""

import json
import re
from typing import Final

from permissions.errors import GraphQLRefusal

# `name`, `[3]`, `["a key"]`, `['a key']`; a dot may stand before each.
_STEP: Final = re.compile(
    r"""\.?(?:(?P<name>[^\W\d][\w-]*)|\[(?:(?P<index>[0-9]+)|"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)')\])""", re.DOTALL
)
_IN_SINGLE: Final = re.compile(r"""\\(?P<escaped>.)|(?P<quote>")""", re.DOTALL)
_ALLOWED = "Accept letters, digits, underscore (_) or hyphen (-) only"
_OTHERWISE = 'Use quotes enclosed in bracket (["..."]) if there is any special character'


def steps(path: str) -> tuple[str, ...]:
    """The keys and places that a path goes through; `$` goes nowhere. Raises ValueError for what is no path."""
    at, found = int(path.startswith("$")), list[str]()
    while at < len(path) or (path != "$" and not found):
        step = _STEP.match(path, at)
        if step is None:
            raise ValueError(path)
        found.append(_key(step))
        at = step.end()
    return tuple(found)


def _key(step: re.Match[str]) -> str:
    if step["name"] is not None:
        return step["name"]
    if step["index"] is not None:
        return str(int(step["index"]))
    quoted = _IN_SINGLE.sub(_as_in_double, step["single"]) if step["double"] is None else step["double"]
    key = str(json.loads(f'"{quoted}"'))
    # Half a character can't be a key; this raises.
    key.encode()
    return key


def _as_in_double(found: re.Match[str]) -> str:
    if found["quote"]:
        return r"\""
    return "'" if found["escaped"] == "'" else found[0]


def refused(path: str, field: str) -> GraphQLRefusal:
    """Hasura's words for what is no path; `field` is where it was given one."""
    return GraphQLRefusal("validation-failed", f"parse json path error: {path}. {_ALLOWED}. {_OTHERWISE}", f"{field}.args")
