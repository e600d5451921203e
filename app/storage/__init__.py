"""Objects in an S3-compatible store.

In: keys and bytes. Out: the domain's `ObjectStore`, over boto3 in threads of its own.
"""
