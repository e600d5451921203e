"""The part of JSONPath that Hasura's JWT settings use: `$`, `.key`, `['key']` and `[0]`."""

import re
from collections.abc import Sequence

_STEP = re.compile(r"""\.([^.\[\]'"]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")

PathStep = str | int


def parse_path(path: str) -> tuple[PathStep, ...]:
    """The steps of a path; raises ValueError for one that is not understood."""
    text = path if path.startswith("$") else f"$.{path}"
    steps: list[PathStep] = []
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"not a JSON path: {path!r}")
        key, index, single, double = match.groups()
        steps.append(int(index) if index is not None else next(text for text in (key, single, double) if text is not None))
        position = match.end()
    return tuple(steps)


def look_up(value: object, steps: Sequence[PathStep]) -> object:
    """What stands at the path; raises LookupError when nothing does."""
    for step in steps:
        if isinstance(step, int) and isinstance(value, list):
            value = value[step]
        elif isinstance(value, dict):
            value = value[str(step)]
        else:
            raise LookupError(step)
    return value
