"""Settings: where they come from, what is refused, what is hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from wafast import settings

NOTHING = Path("/nonexistent")


def shown(**environment: str) -> dict[str, str]:
    lines = settings.describe({}, environment, NOTHING)
    return dict(line.rpartition("  # ")[0].split("=", 1) for line in lines)


def test_the_later_source_wins(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# ports\nexport PORT='3001'\nTZ=UTC\nWAFAST_LOG=debug\n", "utf-8")
    found = settings.collect({"port": "3003"}, {"PORT": "3002", "TZ": "Asia/Tokyo"}, file)
    assert (found["port"].text, found["port"].source) == ("3003", "flag")
    assert (found["time_zone"].text, found["time_zone"].source) == ("Asia/Tokyo", "environment")
    assert (found["log"].text, found["log"].source) == ("debug", ".env")
    assert (found["chat_days"].text, found["chat_days"].source) == ("30", "default")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "http"),
        ("TZ", "Mars/Olympus"),
        ("DB_URI", "mysql://x"),
        ("DB_URI", "postgresql://[x"),
        ("WAFAST_WORKERS", "-1"),
        ("WAFAST_CONNECT_RATE", "nan"),
        ("WHATSAPP_CHAT_STORAGE", "perhaps"),
        ("WAFAST_LOG", "loud"),
        ("WAFAST_ADMIN_EMAIL", "nobody"),
        ("WAFAST_MEDIA", "never"),
        ("WAFAST_MEDIA_QUOTA", "20"),
        ("WAFAST_MEDIA_QUOTA", "-1GiB"),
        ("WAFAST_MEDIA_QUOTA", "20GB"),
        ("WAFAST_LOOPBACK", "/nonexistent/loopback.json"),
        ("WAFAST_AI_URL", "api.example/v1"),
        ("WAFAST_AI_URL", "ftp://api.example/v1"),
        ("WAFAST_AI_URL", "https:///v1"),
        ("WAFAST_AI_URL", "https://api.example:http/v1"),
        ("WAFAST_AI_URL", "https://api.example/v1?api-key=abc"),
        ("WAFAST_AI_URL", "https://ali:geheim@api.example/v1"),
        ("WAFAST_AI_URL", "https://api.example/v1"),
        ("WAFAST_AI_KEY", "two words"),
        ("WAFAST_AI_KEY", "schlüssel"),
        ("WAFAST_AI_MODEL", "a\tb"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(settings.SettingError, match=f"^{name} is"):
        settings.load({}, {name: value}, NOTHING)


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("0GiB", 0), ("500MiB", 500 << 20), ("2 gib", 2 << 30), ("20GiB", 20 << 30)]
)
def test_room_for_media_is_bytes(text: str, size: int) -> None:
    assert settings.load({}, {"WAFAST_MEDIA_QUOTA": text}, NOTHING).media_quota == size


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("WAFAST_ADMIN_PASSWORD", "short", "short"),
        ("WAFAST_AI_KEY", "sk-geheim lang", "geheim"),
        ("WAFAST_AI_URL", "https://ali:geheim@api.example/v1", "geheim"),
    ],
)
def test_a_wrong_secret_is_not_repeated(name: str, value: str, secret: str) -> None:
    with pytest.raises(settings.SettingError) as refusal:
        settings.load({}, {name: value}, NOTHING)
    assert secret not in str(refusal.value)


def test_an_ai_endpoint_has_an_address_and_a_model() -> None:
    given = {"WAFAST_AI_URL": "http://127.0.0.1:11434/v1/", "WAFAST_AI_KEY": "sk-geheim", "WAFAST_AI_MODEL": "qwen3:8b"}
    found = settings.load({}, given, NOTHING)
    assert (found.ai_url, found.ai_key, found.ai_model) == ("http://127.0.0.1:11434/v1", "sk-geheim", "qwen3:8b")
    assert shown(**given)["WAFAST_AI_KEY"] == "***"
    assert settings.load({}, {}, NOTHING).ai_url is None
    with pytest.raises(settings.SettingError, match="WAFAST_AI_MODEL is not set: name the model"):
        settings.load({}, {"WAFAST_AI_URL": given["WAFAST_AI_URL"]}, NOTHING)


def test_a_profile_and_the_demo_exclude_each_other(tmp_path: Path) -> None:
    profile = tmp_path / "loopback.json"
    profile.write_text("{}", "utf-8")
    assert settings.load({}, {"WAFAST_LOOPBACK": str(profile)}, NOTHING).loopback == profile
    with pytest.raises(settings.SettingError, match="--demo"):
        settings.load({}, {"WAFAST_LOOPBACK": str(profile)}, NOTHING, demo=True)


@pytest.mark.parametrize(
    ("value", "visible"),
    [
        ("postgresql://ali:s3cret@db.example:5432/wafast", "postgresql://ali:***@db.example:5432/wafast"),
        (
            "postgresql://db.example/wafast?user=ali&password=s3cret",
            "postgresql://db.example/wafast?user=ali&password=***",
        ),
        ("postgresql://ali@/wafast?host=/run/postgresql", "postgresql://ali@/wafast?host=/run/postgresql"),
        ("postgresql://ali:s3#cret@db.example/wafast", "***"),
        ("postgresql://ali:s3/cret@db.example/wafast", "***"),
        ("postgresql://ali:s3@cret@db.example/wafast", "postgresql://ali:***@db.example/wafast"),
    ],
)
def test_of_an_address_only_the_password_is_hidden(value: str, visible: str) -> None:
    assert shown(DB_URI=value)["DB_URI"] == visible


@pytest.mark.parametrize("password", ["correct horse", "https://s3cret.example/path", "a://b@c:d"])
def test_a_password_is_hidden_whatever_it_looks_like(password: str) -> None:
    assert shown(WAFAST_ADMIN_PASSWORD=password)["WAFAST_ADMIN_PASSWORD"] == "***"
