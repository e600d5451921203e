"""TCP connections before and below a request: uvicorn's protocols, bounded in bytes, number and time.

In: bytes of whoever connects. Out: ASGI scopes of requests that are complete, or a refusal in words and a closed connection.
"""
