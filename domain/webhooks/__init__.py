"""What LiveKit tells us.

In: deliveries, reduced to the fields that may be kept. Out: an inbox that loses nothing, and what each event changes in a call, whenever
and however often it comes.
"""
