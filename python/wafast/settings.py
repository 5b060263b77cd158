"""Every setting wafast has: its name, what it means, where its value came from.

Sources, the later over the earlier: the default, `.env`, the environment, a flag.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import msgspec

from wafast import logs

Network = Literal["whatsapp", "loopback"]
Fetching = Literal["view", "eager"]


class SettingError(ValueError):
    """A setting has a value it cannot have; the text says which, and what would do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one start. Child processes get this object, they never read the environment again."""

    data_dir: Path
    database_uri: str | None
    redis_url: str | None
    host: str
    port: int
    time_zone: str
    chat_storage: bool
    messages_per_chat: int
    chat_days: int
    media: Fetching
    media_quota: int
    loopback: Path | None
    workers: int
    connect_rate: float
    admin_email: str
    admin_password: str | None
    ai_url: str | None
    ai_key: str | None
    ai_model: str | None
    log: str
    demo: bool

    @property
    def sessions_dir(self) -> Path:
        """neonize's session files, one folder a network."""
        return self.data_dir / "sessions"

    @property
    def media_dir(self) -> Path:
        """Media by content hash: `aa/aabbcc…`."""
        return self.data_dir / "media"

    @property
    def spool_dir(self) -> Path:
        """What reached the inlet and is not committed yet."""
        return self.data_dir / "spool"

    @property
    def simulator_dir(self) -> Path:
        """The simulator's keys, accounts and profile."""
        return self.data_dir / "loopback"


def _hidden(_text: str) -> str:
    return "***"


def without_password(text: str) -> str:
    """An address whose password, also one among its parameters, is `***`; all of it when it can't be taken apart."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return _hidden(text)
    person, at, host = parts.netloc.rpartition("@")
    user, colon, _ = person.partition(":")
    # An @ further back comes from a password with a / ? or # in it: where it ends is anybody's guess.
    if not parts.scheme or parts.fragment or "@" in parts.path + parts.query or "@" in user:
        return _hidden(text)
    query = re.sub(r"(?i)((?:^|&)[^=&]*password=)[^&]*", r"\1***", parts.query)
    return urlunsplit((parts.scheme, f"{user}{':***' if colon else ''}{at}{host}", parts.path, query, ""))


class Entry(msgspec.Struct, frozen=True):
    """One setting: its field, its names outside (the first is shown), how to read it, and what it is for."""

    field: str
    names: tuple[str, ...]
    read: Callable[[str], Any]
    default: str | None
    about: str
    #: What may be shown of its value; None: all of it.
    hide: Callable[[str], str] | None = None


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().lstrip("-").isdigit() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high} is wanted")
        return int(text)

    return read


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1000:
        raise ValueError("a number above 0, at most 1000, is wanted")
    return value


def _flag(text: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.strip().lower() not in known:
        raise ValueError("true or false is wanted")
    return known[text.strip().lower()]


def _fetching(text: str) -> str:
    if text.strip().lower() not in get_args(Fetching):
        raise ValueError("view or eager is wanted")
    return text.strip().lower()


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d{1,9})\s*(MiB|GiB)", text.strip(), re.IGNORECASE)
    if found is None and text.strip() != "0":
        raise ValueError("a size in MiB or GiB is wanted, as 500MiB or 20GiB, or 0 for no limit")
    return 0 if found is None else int(found[1]) << (20 if found[2].lower() == "mib" else 30)


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError("an IANA time zone is wanted, as Asia/Kuala_Lumpur") from None
    return text


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _uri(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if urlsplit(text).scheme not in schemes:
            raise ValueError(
                f"an address that starts with {' or '.join(scheme + '://' for scheme in schemes)} is wanted"
            )
        return text

    return read


def _base(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address that starts with http:// or https:// is wanted, as http://127.0.0.1:11434/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("an address alone is wanted, without person, ? and #; a key is given as WAFAST_AI_KEY")
    if parts.port == 0 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("an address as programs know it is wanted, in plain letters and with a port that exists")
    return text.rstrip("/")


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a key of plain letters, digits and signs is wanted, without spaces")
    return text


def _word(text: str) -> str:
    if not text.isprintable() or len(text) > 200:
        raise ValueError("a name of at most 200 characters is wanted")
    return text


def _email(text: str) -> str:
    if text.count("@") != 1 or text.startswith("@") or text.endswith("@"):
        raise ValueError("an e-mail address is wanted")
    return text.lower()


def _log(text: str) -> str:
    logs.read(text)
    return text.lower()


def _password(text: str) -> str:
    if len(text) < 10:
        raise ValueError("at least 10 characters are wanted")
    return text


ENTRIES = (
    Entry("data_dir", ("WAFAST_DATA_DIR",), _path, "data", "Folder for everything wafast keeps on disk."),
    Entry(
        "database_uri",
        ("DB_URI", "DATABASE_URL"),
        _uri("postgresql", "postgres"),
        None,
        "Your own PostgreSQL; without it an embedded one runs in the data folder.",
        hide=without_password,
    ),
    Entry(
        "redis_url",
        ("REDIS_URL",),
        _uri("redis", "rediss", "unix"),
        None,
        "Redis for several nodes; this version talks through PostgreSQL and does not use it yet.",
        hide=without_password,
    ),
    Entry("host", ("WAFAST_HOST",), str, "127.0.0.1", "Address the web server listens on."),
    Entry("port", ("PORT",), _whole(1, 65535), "3000", "Port the web server listens on."),
    Entry("time_zone", ("TZ",), _zone, "Asia/Kuala_Lumpur", "Zone times are shown in."),
    Entry(
        "chat_storage",
        ("WHATSAPP_CHAT_STORAGE",),
        _flag,
        "true",
        "Whether chats and messages are stored; no STOP is heard else.",
    ),
    Entry("messages_per_chat", ("WAFAST_MESSAGES_PER_CHAT",), _whole(0, 1_000_000), "20", "Newest kept; 0 keeps all."),
    Entry("chat_days", ("WAFAST_CHAT_DAYS",), _whole(1, 36_500), "30", "Days without a message that hide a chat."),
    Entry("media", ("WAFAST_MEDIA",), _fetching, "view", "Files are fetched on first view, or when they come: eager."),
    Entry("media_quota", ("WAFAST_MEDIA_QUOTA",), _bytes, "20GiB", "Room for media in MiB or GiB; 0 for no limit."),
    Entry("loopback", ("WAFAST_LOOPBACK",), _path, None, "Profile of a WhatsApp server on 127.0.0.1."),
    Entry("workers", ("WAFAST_WORKERS",), _whole(1, 64), "1", "Worker processes for each network."),
    Entry(
        "connect_rate",
        ("WAFAST_CONNECT_RATE",),
        _rate,
        "50",
        "Dials a second, of each network on a machine.",
    ),
    Entry("admin_email", ("WAFAST_ADMIN_EMAIL",), _email, "admin@wafast.local", "First administrator's e-mail."),
    Entry("admin_password", ("WAFAST_ADMIN_PASSWORD",), _password, None, "His password; else random.", hide=_hidden),
    Entry(
        "ai_url",
        ("WAFAST_AI_URL",),
        _base,
        None,
        "OpenAI-compatible endpoint that scores leads and drafts replies; without it nothing does.",
        hide=without_password,
    ),
    Entry("ai_key", ("WAFAST_AI_KEY",), _token, None, "Its key, if it wants one.", hide=_hidden),
    Entry("ai_model", ("WAFAST_AI_MODEL",), _word, None, "Its model."),
    Entry("log", ("WAFAST_LOG",), _log, "info", "Log level, also per component, and form: info,devices=debug,json."),
)


class Value(msgspec.Struct, frozen=True):
    """A setting's text and where it came from: `default`, `.env`, `environment` or `flag`."""

    text: str | None
    source: str


def collect(
    flags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: Path | None = None,
) -> dict[str, Value]:
    """Each setting's text by its field, before it is read.

    `flags` is by field name; `environment` is os.environ when None; `env_file` is ./.env when None.
    """
    environment = os.environ if environment is None else environment
    in_file = _read_env_file(Path(".env") if env_file is None else env_file)
    found = {}
    for entry in ENTRIES:
        value = Value(entry.default, "default")
        for source, texts in ((".env", in_file), ("environment", environment)):
            name = next((name for name in entry.names if texts.get(name)), None)
            if name is not None:
                value = Value(texts[name], source)
        if flags and entry.field in flags:
            value = Value(flags[entry.field], "flag")
        found[entry.field] = value
    return found


def load(
    flags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: Path | None = None,
    *,
    demo: bool = False,
) -> Settings:
    """The settings of this start.

    Raises SettingError, naming the setting, its value, its source and what is wanted instead.
    """
    values: dict[str, Any] = {"demo": demo}
    texts = collect(flags, environment, env_file)
    for entry in ENTRIES:
        text, source = texts[entry.field].text, texts[entry.field].source
        if text is None:
            values[entry.field] = None
            continue
        try:
            values[entry.field] = entry.read(text)
        except ValueError as error:
            shown = "(hidden)" if entry.hide else repr(text)
            raise SettingError(f"{entry.names[0]} is {shown} (from {source}): {error}") from None
    settings = Settings(**values)
    if settings.ai_url is not None and settings.ai_model is None:
        raise SettingError(
            f"WAFAST_AI_URL is {settings.ai_url!r}, but WAFAST_AI_MODEL is not set: name the model that is to be asked"
        )
    if settings.loopback is not None:
        if demo:
            raise SettingError(
                f"WAFAST_LOOPBACK is {str(settings.loopback)!r}, but --demo starts its own simulator: "
                "give only one of them"
            )
        if not settings.loopback.is_file():
            raise SettingError(
                f"WAFAST_LOOPBACK is {str(settings.loopback)!r}, but there is no such file: "
                "start the simulator first (wafast loopback), it writes the profile"
            )
    return settings


def describe(
    flags: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: Path | None = None,
) -> list[str]:
    """`NAME=value  # source` for every setting, secrets hidden."""
    texts = collect(flags, environment, env_file)
    lines = []
    for entry in ENTRIES:
        value = texts[entry.field]
        text = value.text or ""
        if entry.hide and text:
            text = entry.hide(text)
        lines.append(f"{entry.names[0]}={text}  # {value.source}")
    return lines


def _read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines; `#` starts a comment line, quotes around a value fall off, `export` is allowed."""
    if not path.is_file():
        return {}
    found = {}
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise SettingError(f"{path}, line {number}: {raw!r} is not NAME=value")
        found[name.strip()] = value.strip().strip("'\"")
    return found
