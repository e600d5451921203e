"""Streams as they are watched: playlists and embedded pages for who may, clips, and what becomes of a right that is lost."""
