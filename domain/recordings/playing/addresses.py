"""How addresses of media are written."""

from typing import Final

# What stands in place of a signature where none is needed: many players go by the end of the name.
UNSIGNED: Final = "public.m3u8"
