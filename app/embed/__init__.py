"""`/embed/{id}`: a page of its own that plays a stream, to be shown in a frame of another page.

In: a stream's id, and a signed link where not everybody may watch. Out: the page, hls.js and all else that it needs, and what is to be
shown at this moment: the stream, or a sentence in its place.
"""
