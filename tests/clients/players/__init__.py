"""Players of others in a real Chromium: what people who write clients take from npm."""
