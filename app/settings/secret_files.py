"""The `…_FILE` form of secrets: the variable names a file (a Docker or Kubernetes secret) that holds the value."""

import os
from pathlib import Path
from typing import Any, get_args

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsError


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `NCHAT_JWT_SECRET_FILE` for `NCHAT_JWT_SECRET`, and so on for each secret and each of its names."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self._prefix: str = self.config.get("env_prefix", "")

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's text without the newline at its end; SettingsError when it is empty, can't be read, or the plain form is set too.

        Nothing where the plain form of an earlier name is set: of two names the first wins, in whatever form.
        """
        for name in self._names(field, field_name):
            path = os.environ.get(f"{name}_FILE")
            if path and os.environ.get(name):
                raise SettingsError(f"{name} and {name}_FILE are both set: keep one")
            if os.environ.get(name):
                break
            if not path:
                continue
            try:
                text = Path(path).read_text().rstrip("\r\n")
            except OSError as error:
                raise SettingsError(f"{name}_FILE: {error.strerror}: {path}") from error
            if not text:
                raise SettingsError(f"{name}_FILE: the file is empty: {path}")
            return text, name, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field_name, field in self.settings_cls.model_fields.items():
            if not holds_secret(field):
                continue
            value, _, _ = self.get_field_value(field, field_name)
            if value is not None:
                # Under the field's first name, as the other sources do: only then the order of the sources decides.
                found[self._names(field, field_name)[0] if field.validation_alias else field_name] = value
        return found

    def _names(self, field: FieldInfo, field_name: str) -> list[str]:
        alias = field.validation_alias
        return [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [f"{self._prefix}{field_name.upper()}"]


def holds_secret(field: FieldInfo) -> bool:
    """Whether the field's type is, or contains, SecretStr."""
    return _mentions_secret(field.annotation)


def _mentions_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_mentions_secret(part) for part in get_args(annotation))
