"""LiveKit: the gateway, the webhooks, the simulator, and the real server that all of them are measured by."""
