"""A host's encoder instead of a browser: an address and a key, until another takes their place or the stream is over.

In: `want` in the transaction that starts a stream, resetStreamIngress, LiveKit's webhooks, a look at LiveKit every few seconds.
Out: a key, told once and kept sealed; whether the encoder sends, and what is known of its picture and sound (`rows.wanted_ingress`).
"""
