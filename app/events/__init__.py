"""Hints between those who write and those who follow, within a process and between processes."""

from app.events.hub import BroadcastHub, open_hub

__all__ = ["BroadcastHub", "open_hub"]
