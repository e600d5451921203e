"""The adapter to the store, on the real one of the devstack: what it does, and how it tells what goes wrong."""
