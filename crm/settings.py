"""All settings, read once at the entry point from the environment and ``.env``."""

import hashlib
import hmac
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from crm.errors import ConfigError


class Settings(BaseSettings):
    """One attribute per ``DESK_…`` variable; docs/configuration.md describes each."""

    model_config = SettingsConfigDict(env_prefix="DESK_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = "sqlite:///var/desk.db"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str | None = None
    shop: Path | None = None
    demo: bool = False
    telegram_token: SecretStr | None = None
    telegram_api: str = "https://api.telegram.org/bot"
    telegram_mode: Literal["polling", "webhook"] = "polling"
    owner_email: str | None = None
    owner_password: SecretStr | None = None
    smtp_url: SecretStr | None = None
    secret_key: SecretStr | None = None
    data_key: SecretStr | None = None
    data_key_old: SecretStr | None = None
    encrypt_messages: bool = False
    internal_secret: SecretStr | None = None
    identity_secret: SecretStr | None = None
    rasa_url: str = "http://127.0.0.1:5005"
    actions_url: str = "http://127.0.0.1:5055"
    redis_url: str | None = None
    dask_scheduler: str | None = None
    tracker_url: str | None = None
    tracker_key: SecretStr | None = None
    allowed_origins: str = "*"
    trusted_proxies: str = ""
    answer_timeout_seconds: float = Field(default=8.0, gt=0)
    messages_per_minute: int = Field(default=60, ge=1)
    sessions_per_minute: int = Field(default=60, ge=1)

    @cached_property
    def base_url(self) -> str:
        """Where customers reach the desk."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def shop_file(self) -> Path:
        """The shop's own shop.toml, or the demo shop's."""
        return self.shop or Path("demo/shop.toml")

    def require(self, name: str) -> str:
        """A secret that must be there. Raises ConfigError naming the variable."""
        value = getattr(self, name)
        if value is None or not value.get_secret_value():
            if name == "internal_secret":
                return self._derived_internal_secret()
            raise ConfigError(f"DESK_{name.upper()} is not set; `desk up` writes one into .env, see .env.example.")
        return str(value.get_secret_value())

    def _derived_internal_secret(self) -> str:
        # One key fewer to keep: what our own processes show each other follows from the key that signs tokens.
        key = self.require("secret_key").encode()
        return hmac.new(key, b"desk internal secret v1", hashlib.sha256).hexdigest()


def port_of(url: str, default: int) -> int:
    """The port that a URL like DESK_RASA_URL names."""
    return urlsplit(url).port or default


def load_settings() -> Settings:
    """Raises ConfigError naming the variable and what it should be."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "DESK_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(f"{name}: {first['msg']}; see docs/configuration.md.") from None
