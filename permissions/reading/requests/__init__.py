"""What the metadata says of requests as a whole, whatever table they ask for.

In: sections of the document. Out: `permissions/api_limits.py`, `permissions/allow_list.py`.
"""
