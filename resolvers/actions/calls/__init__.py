"""Calls: the actions of the people in them, their payloads, and the two feeds."""
