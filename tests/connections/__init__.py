"""Bounds of connections by a clock that a test turns, without a network."""
