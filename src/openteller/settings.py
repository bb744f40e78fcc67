"""The settings, read from the environment (prefix OPENTELLER_) or an .env file when `load()` is called.

Only what signs tokens asks for the secret, and outside dev mode is refused an unsafe one; every other command runs
without. Only assembly, serving/app and cli read settings.
"""

import secrets
from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from openteller.core.errors import ConfigurationError

_SHORTEST_SECRET = 32
_KEY_BYTES = 32


class Settings(BaseSettings):
    """One installation's settings. Each can be set as OPENTELLER_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="OPENTELLER_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("var"), description="where everything that is written lives")
    dev: bool = Field(False, description="demo logins and a generated secret are allowed")
    secret_key: str = Field("", description="signs tokens; at least 32 characters outside dev mode")
    bank_name_zh: str = "松湾银行"
    bank_name_en: str = "Pinebay Bank"
    timezone: str = Field("Asia/Shanghai", description="IANA zone for what a person reads")

    database_url: str | None = Field(None, description="application login; None: the embedded PostgreSQL")
    database_owner_url: str | None = Field(None, description="login that owns the tables (migrations, bulk loading)")

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    cors_origins: tuple[str, ...] = ()
    console: bool = Field(True, description="serve the staff console at /console")
    token_minutes: int = Field(60, ge=1)
    demo_password: str = Field("pinebay-demo", description="of the demo logins, which exist in dev mode only")
    rate_per_minute: int = Field(240, ge=1, description="requests a minute for one principal")
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None

    threads: int = Field(1, ge=1, description="threads of each model engine")
    encoder: Path | None = Field(None, description="folder of an understanding artefact; None: the one that ships")
    hub_url: str | None = Field(None, description="mirror of the model hub inside the bank; None: the public one")
    llm_url: str | None = Field(
        None,
        description="base URL of an OpenAI-compatible server, or llama:<name in the catalogue, of a trained model, or its folder>",
    )
    llm_model: str = ""
    llm_api_key: str = ""
    asr_url: str = Field(
        "whisper",
        description="recognition: whisper, a folder of Whisper for CTranslate2, sherpa:<folder of a model>, or base URL of an "
        "OpenAI-compatible server",
    )
    asr_model: str = Field("", description="the model's name at that server; for whisper its name in the catalogue")
    asr_api_key: str = ""
    asr_script: Literal["simplified", "traditional"] = Field(
        "simplified", description="the characters in which what was said in Chinese is written"
    )
    tts_url: str = Field(
        "kokoro", description="speech: kokoro, sherpa:<folder of a model>, or base URL of an OpenAI-compatible server"
    )
    tts_model: str = Field("", description="the model's name at that server")
    tts_api_key: str = ""
    tts_voice_zh: str = Field("", description="the voice for Chinese; empty: the engine's first")
    tts_voice_en: str = Field("", description="the voice for English; empty: the engine's first")
    voice_ahead: bool = Field(True, description="make the sound of approved sentences before they are asked for")
    telephony_secret: str = Field("", description="path of the telephony media stream; empty: no telephone calls")
    voice_calls: int = Field(8, ge=0, description="calls at a time in one process; 0: no calls")
    recording: bool = Field(False, description="calls are recorded where the caller agrees as well")
    recording_key: str = Field("", description="encrypts recordings: 32 bytes in base64")
    recording_keys_old: tuple[str, ...] = Field((), description="former keys, for reading")
    recording_days: int = Field(90, ge=1, description="how long recordings are kept")
    assessment_months: int = Field(12, ge=1, le=12, description="how long an investor's risk assessment holds")
    assessments_a_day: int = Field(2, ge=1, le=2, description="risk assessments of one customer on one day")
    assessments_a_year: int = Field(8, ge=1, le=8, description="and within twelve months")
    opinion_days: int = Field(365, ge=1, description="how long items of public opinion are kept")
    opinion_private: bool = Field(False, description="feeds may be at addresses inside the bank")
    exploration: float = Field(0.0, ge=0, le=1, description="share of offers that is chosen by chance, to learn from")
    core_banking_url: str | None = Field(None, description="REST core banking; None: the demo store")
    core_banking_token: str = ""

    console_url: str = Field("", description="where staff open the console, for links in mail; empty: paths alone")
    alert_webhook_url: str = Field("", description="receives alerts, signed; empty: none are sent there")
    alert_webhook_secret: str = Field("", description="shared with that receiver; at least 32 characters")
    alert_webhook_least: Literal["info", "warning", "critical"] = Field("warning", description="from which severity on")
    alert_smtp_url: str = Field(
        "", description="mail server, as smtp+starttls://user:password@host:587; empty: no alert goes out by mail"
    )
    alert_email_from: str = ""
    alert_email_to: tuple[str, ...] = ()
    alert_email_least: Literal["info", "warning", "critical"] = Field("critical", description="from which severity on")
    jobs: bool = Field(True, description="`teller serve` does scheduled work too; off: a `teller jobs run` does it")
    retrain: tuple[str, ...] = Field((), description="what is trained again each week with accepted corrections")

    def signing_key(self) -> str:
        """What signs tokens: the secret key, in dev mode without one a generated one.

        Raises:
            ConfigurationError: outside dev mode the secret key is missing or shorter than 32 characters.
        """
        if self.dev:
            return self.secret_key or dev_secret(self.data_dir)
        if len(self.secret_key) < _SHORTEST_SECRET:
            raise ConfigurationError(
                "The settings cannot be used.",
                cause=f"secret_key must have at least {_SHORTEST_SECRET} characters outside dev mode.",
                next_step="Set OPENTELLER_SECRET_KEY (e.g. `openssl rand -base64 48`),"
                " or OPENTELLER_DEV=1 for a demonstration.",
            )
        return self.secret_key

    def recording_keys(self) -> tuple[bytes, ...]:
        """The keys of recordings, 32 bytes each: the one that encrypts, in dev mode by default derived from the secret, then
        former ones.

        Raises:
            ConfigurationError: outside dev mode there is none, or one is not 32 bytes in base64.
        """
        former = tuple(_key(text) for text in self.recording_keys_old)
        if self.dev and not self.recording_key:
            return (_derived(self.signing_key(), b"openteller recordings"), *former)
        return (_key(self.recording_key), *former)

    @property
    def is_embedded(self) -> bool:
        """Whether the embedded PostgreSQL is used."""
        return self.database_url is None


def dev_secret(data_dir: Path) -> str:
    """The secret of a dev installation: made once, kept in `data_dir`, readable by its owner only."""
    path = data_dir / "dev-secret"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def _key(text: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            "Recordings cannot be encrypted or read.",
            cause=f"A recording key must be {_KEY_BYTES} bytes in base64." if text else "There is no recording key.",
            next_step="Set OPENTELLER_RECORDING_KEY to what `openssl rand -base64 32` prints, and keep it safe.",
        )
    return key


def _derived(secret: str, purpose: bytes) -> bytes:
    """A key for one purpose (HKDF with SHA-256, RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose).derive(secret.encode())


def load(**overrides: object) -> Settings:
    """Read the settings. Raises ConfigurationError naming each setting that cannot be used."""
    try:
        build = partial(Settings, **{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
        return build()
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(
            "The settings cannot be used.",
            cause=faults,
            next_step="Each is the environment variable OPENTELLER_<NAME>; correct or unset those that are named.",
        ) from error
