"""Operations that answer again and again.

In: a compiled live query. Out: its answer now, and each new one.
"""
