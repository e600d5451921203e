"""The generated files of `make golden`, which tests compare: each role's schema, the actions' metadata, the settings table."""
