"""Every setting of the service.

In: the environment, `…_FILE` secrets, a file of defaults. Out: one frozen `Settings`, or a sentence about what is wrong.
"""

from app.settings.errors import ConfigurationError
from app.settings.settings import Settings, environment_names, load_settings

__all__ = ["ConfigurationError", "Settings", "environment_names", "load_settings"]
