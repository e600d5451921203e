"""The type of the fixture `log_lines`."""

from collections.abc import MutableMapping
from typing import Any

LogLines = list[MutableMapping[str, Any]]
