"""The devstack's egress worker before a real livekit-server."""
