"""Recordings as browsers and players fetch them, by signed links.

In: `/media/…`, followed by whoever has the link. Out: presigned addresses of the store, playlists and storyboards, or one and the same
404. What a recording's playlist is, `domain/recordings/playing` knows.
"""
