"""What is wrong with a setting that has the right form."""


class ConfigurationError(Exception):
    """A setting can't be used; the sentence says which and why, never its value."""
