"""The devstack's object store, asked by boto3 as the product asks it."""
