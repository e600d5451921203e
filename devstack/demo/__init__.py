"""`make demo`: people call each other through the running service, hear each other, and see every event of the call."""
