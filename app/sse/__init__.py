"""GraphQL over server-sent events, one operation a request: the distinct connections mode of graphql-sse.

In: a request that asks for `text/event-stream`. Out: events `next` and `complete`, until the operation, the client or the token ends.
"""
