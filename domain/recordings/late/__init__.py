"""What a recorder still writes below keys that a CDN serves, after fewer were let watch: moved to keys that nobody knows.

In: the marks that the database sets on a part when its stream's visibility is narrowed. Out: objects of after that moment that nobody
finds but by the playlist, for whoever still may watch.
"""
