"""What a call is, and what may become of it.

In: a transaction that holds the call's lock. Out: guarded steps (`life_cycle.py`), their events (`events.py`), and what LiveKit has to be
told after the commit (`repairs.py`). Whoever acts, a person, a webhook or a clock, goes through the same functions.
"""
