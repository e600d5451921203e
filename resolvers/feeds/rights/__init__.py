"""Who may follow a room, who may still, and who sees the same there.

In: sessions and the rules of their roles. Out: verdicts, asked for many at once, and the classes whose members get the same bytes.
"""
