"""Public streams as DASH besides HLS, where the deployment wants it.

In: the segments that are stored anyway. Out: pieces and a manifest under keys of their own, and `dash_url` once the manifest is there.
"""
