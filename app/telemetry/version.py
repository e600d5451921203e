"""Which release of the service this is, as its package says."""

from importlib.metadata import version
from typing import Final

VERSION: Final = version("nchat-rtc")
