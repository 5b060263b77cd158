"""The trust root is only ever replaced in a process that was started for a loopback profile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wafast.devices import loopback_trust
from wafast.settings import load
from wafast.worker import run


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return write(tmp_path)


def write(folder: Path, **changes: Any) -> Path:
    certificate = folder / "ca.crt"
    certificate.write_text("none")
    fields = {"proxy": "http://127.0.0.1:9", "ca_file": str(certificate), "noise_root": "ab" * 32} | changes
    path = folder / "loopback.json"
    path.write_text(json.dumps(fields))
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"proxy": "http://203.0.113.9:8080"}, "127.0.0.1:PORT is wanted"),
        ({"proxy": "socks5://127.0.0.1:8080"}, "127.0.0.1:PORT is wanted"),
        ({"proxy": "http://127.0.0.1"}, "127.0.0.1:PORT is wanted"),
        ({"noise_root": "ab"}, "64 hexadecimal digits"),
        ({"ca_file": "/nowhere/ca.crt"}, "no file '/nowhere/ca.crt'"),
    ],
)
def test_a_profile_that_leads_astray_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(loopback_trust.ProfileError, match=says):
        loopback_trust.read_profile(write(tmp_path, **changes))


def test_the_environment_has_one_proxy_and_one_authority(profile: Path) -> None:
    others = {"https_proxy": "http://203.0.113.9:1", "ALL_PROXY": "x", "NO_PROXY": "*", "SSL_CERT_DIR": "/etc"}
    made = loopback_trust.environment(profile, {"PATH": "/bin", **others})
    assert made["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert not {"https_proxy", "ALL_PROXY", "NO_PROXY", "SSL_CERT_DIR"} & made.keys()
    assert made["PATH"] == "/bin"


def test_no_other_process_can_patch(profile: Path) -> None:
    with pytest.raises(RuntimeError, match="started for a loopback profile"):
        loopback_trust.patch(profile)


def test_pretending_in_a_running_process_is_not_enough(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in loopback_trust.environment(profile, {}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match="started for a loopback profile"):
        loopback_trust.patch(profile)


def test_the_root_is_found_once_in_this_neonize_and_only_once_replaced(profile: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import wafast.devices.neonize_package\n"
        "from wafast.devices import loopback_trust as t\n"
        "t.patch(Path(sys.argv[1]))\n"
        "try: t.patch(Path(sys.argv[1]))\n"
        "except RuntimeError as error: print(error)"
    )
    environment = loopback_trust.environment(profile, os.environ)
    environment["PYTHONPATH"] = str(Path(__file__).parents[3] / "python")
    done = subprocess.run(
        [sys.executable, "-c", script, str(profile)], env=environment, capture_output=True, text=True, check=True
    )
    assert "found 0 times" in done.stdout


def test_a_whatsapp_worker_takes_no_profile(profile: Path, tmp_path: Path) -> None:
    settings = load({"data_dir": str(tmp_path)}, environment={}, env_file=tmp_path / "none")
    with pytest.raises(ValueError, match="whatsapp takes no loopback profile"):
        run(settings, "postgresql://nowhere", "whatsapp", profile)
    with pytest.raises(ValueError, match="loopback needs a loopback profile"):
        run(settings, "postgresql://nowhere", "loopback", None)
