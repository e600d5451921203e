"""What `make run` and the tests start in place of real servers: PostgreSQL, Valkey, LiveKit, demo data."""
