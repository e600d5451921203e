"""What people follow while it happens.

In: a hub, and a way to look at what is committed. Out: each event or change once, in order. A hint says when to look, a cursor where.
"""
