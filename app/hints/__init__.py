"""Hints between those who write and those who follow, within a process and between processes.

In: topics that changed. Out: followers woken. A hint says that something changed, not what, and may be lost.
"""

from app.hints.hub import BroadcastHub, open_hub

__all__ = ["BroadcastHub", "open_hub"]
