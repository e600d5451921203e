"""The outside world and the wiring: HTTP, websockets, the database, LiveKit, jobs and the command line."""
