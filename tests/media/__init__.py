"""Recordings as they are watched: links, playlists, what a player gets, and who gets nothing."""
