"""Who is asking: the admin secret, a JSON web token or nobody, turned into a verified session."""

from app.auth.authenticator import Authenticator
from app.auth.configuration import ConfigurationError, JwtConfiguration

__all__ = ["Authenticator", "ConfigurationError", "JwtConfiguration"]
