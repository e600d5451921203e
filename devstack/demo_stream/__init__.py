"""`make demo-stream`: a stream goes through the running service, from a host's encoder to the page that people watch.

In: a running `make run`, ffmpeg as the encoder, Chromium as the viewer's browser. Out: a line for each thing that happens, and whether
all did.
"""
