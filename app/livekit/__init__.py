"""LiveKit behind the domain's ports: rooms, join tokens, webhooks."""
