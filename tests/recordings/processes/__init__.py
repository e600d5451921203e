"""Recordings of service processes that are killed, or race each other, on the real livekit-server, a worker and a store."""
