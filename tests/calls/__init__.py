"""Call actions on a real database, with the media server in memory."""
