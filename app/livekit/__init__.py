"""LiveKit behind the domain's ports.

In: what the domain asks of rooms, and LiveKit's signed webhooks. Out: requests to its API, join tokens, events for the inbox. Nobody else
knows the SDK.
"""
