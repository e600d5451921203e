"""Calls: the actions of the people in them, and the two feeds.

In: inputs of `schema/types/calls.py`. Out: the payloads of `payloads.py`, and events of `schema/types/call_events.py`.
"""
