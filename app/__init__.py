"""The outside world and the wiring.

On top stands the wiring alone: `server.py` runs `asgi.py`, which opens `service.py`: first `foundation.py`, then the engine, then
`product.py` over its `world.py`. Everything real is in a room: `http/`, `websocket/`, `graphql/`, `auth/`, `database/`, `livekit/`,
`events/`, `jobs/`, `adapters/`, `settings/`, `telemetry/`, and the command line in `cli/`.
"""
