"""The transports: HTTP, websockets, the database pool, readiness, limits."""
