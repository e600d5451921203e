"""Small ports of the domain filled in: clock, rate limits, encryption at rest, TURN credentials.

In: settings. Out: what `domain/ports.py` asks for. LiveKit, database and hints have rooms of their own.
"""
