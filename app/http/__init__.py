"""HTTP: GraphQL over POST, and the small endpoints beside it.

In: an ASGI request. Out: a response. GraphQL goes around Starlette (`graphql.py`); health, metrics and the console are its routes.
"""
