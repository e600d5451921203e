"""Operations that answer again and again.

In: a compiled live query or stream. Out: its answer now, and each new one. `cohorts.py` has those of a process, `cohort.py` those who ask
the same, `looks.py` asks for many in one statement; `audience.py` follows a live query, `reader.py` a stream.
"""
