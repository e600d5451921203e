"""A header that has a browser save what it gets, under a name of any letters (RFC 6266, RFC 8187)."""

import re
from typing import Final
from urllib.parse import quote

# What a quoted string may hold without an escape that somebody would read in another way.
_PLAIN: Final = re.compile(r"[^A-Za-z0-9 !#$&+.^_`{}~()\[\],;=@'-]")


def attachment(file_name: str) -> str:
    """The name twice: in ASCII for whoever knows no other, and as it is. Characters that end a header are in neither."""
    return f"attachment; filename=\"{_PLAIN.sub('_', file_name)}\"; filename*=UTF-8''{quote(file_name, safe='')}"
