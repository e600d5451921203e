"""What verifies signatures.

In: key material of the settings, or the address of a JWK set. Out: keys, and the algorithms that each may be used with.
"""
