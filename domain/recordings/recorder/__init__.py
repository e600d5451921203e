"""What stands between the rows and LiveKit's egress.

In: wishes that stand in the rows, what LiveKit and storage show. Out: egresses begun and ended, parts moved to what is seen of them.
"""
