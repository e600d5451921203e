"""The wires: HTTP, websockets, the database pool, readiness, limits."""
