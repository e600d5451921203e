"""LiveKit's ingress, through which encoders send into rooms.

In: which ingress is wanted. Out: the domain's `Ingests`.
"""
