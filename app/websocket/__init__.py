"""GraphQL over a websocket: the graphql-transport-ws protocol in front of the engine.

In: an upgrade, then messages of a client. Out: payloads one at a time, and a close code when the connection has to end.
"""
