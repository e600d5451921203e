"""One GraphQL request, whatever carries it.

In: a body or a message of a client, and its headers. Out: a `Request` for the engine, and the engine behind two small ports.
"""
