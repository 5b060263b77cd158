"""How a worker of network `loopback` comes to trust a WhatsApp server on 127.0.0.1, and how no other process can.

The profile names the server's proxy, its certificate authority and the key that stands in for WhatsApp's certificate
root. neonize's Go runtime reads its environment once, when the process starts; so the process is started with it
(`environment`), and `patch` refuses to work in any other.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

#: whatsmeow's WACertPubKey (handshake.go), the certificate root a client trusts. It lies once in neonize's data.
CERTIFICATE_ROOT = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
#: Marks a process that was started for a profile.
MARK = "WAFAST_LOOPBACK_PROCESS"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class ProfileError(ValueError):
    """The profile cannot be used; the text says why."""


class Profile(msgspec.Struct, frozen=True):
    """How to reach a WhatsApp server on this machine: the file it writes, as far as a worker needs it."""

    proxy: str
    ca_file: str
    noise_root: str

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the proxy."""
        parts = urlsplit(self.proxy)
        return parts.hostname or "", parts.port or 80


def read_profile(path: Path) -> Profile:
    """The profile in `path`. Raises ProfileError when it is missing, not readable, or leads off this machine."""
    try:
        profile = msgspec.json.decode(path.read_bytes(), type=Profile)
    except (OSError, msgspec.DecodeError) as error:
        raise ProfileError(f"the loopback profile {path} is not readable: {error}") from None
    parts = urlsplit(profile.proxy)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS or parts.port is None:
        raise ProfileError(f"{path}: the proxy is {profile.proxy!r}; http://127.0.0.1:PORT is wanted")
    if not Path(profile.ca_file).is_file():
        raise ProfileError(f"{path}: there is no file {profile.ca_file!r} with a certificate authority")
    try:
        root = bytes.fromhex(profile.noise_root)
    except ValueError:
        root = b""
    if len(root) != 32:
        raise ProfileError(f"{path}: noise_root is {profile.noise_root!r}; 64 hexadecimal digits are wanted")
    return profile


def environment(path: Path, base: Mapping[str, str]) -> dict[str, str]:
    """`base` with what a loopback worker's process must be started with, and without any other proxy."""
    profile = read_profile(path)
    kept = {name: value for name, value in base.items() if not name.lower().endswith("_proxy")}
    kept.pop("SSL_CERT_DIR", None)
    return kept | {"HTTPS_PROXY": profile.proxy, "SSL_CERT_FILE": profile.ca_file, MARK: str(path)}


def was_started_for(path: Path) -> bool:
    """Whether this very process was started with the environment of this profile."""
    with open("/proc/self/environ", "rb") as file:
        started = dict(part.partition(b"=")[::2] for part in file.read().split(b"\0") if part)
    wanted = {name.encode(): value.encode() for name, value in environment(path, {}).items()}
    return wanted.items() <= started.items()


def patch(path: Path) -> Profile:
    """Put the profile's root key in the place of WhatsApp's, in this process; neonize must have been imported.

    Raises RuntimeError in a process that was not started for this profile, and when the root is not found exactly once.
    """
    profile = read_profile(path)
    if not was_started_for(path):
        raise RuntimeError("the trust root is only replaced in a process started for a loopback profile")
    if "neonize" not in sys.modules:
        raise RuntimeError("neonize is not loaded yet: there is nothing to patch")
    places = _places()
    if len(places) != 1:
        raise RuntimeError(f"the certificate root was found {len(places)} times in neonize, not once: another version?")
    ctypes.memmove(places[0], bytes.fromhex(profile.noise_root), len(CERTIFICATE_ROOT))
    return profile


def _places() -> list[int]:
    found = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            if "neonize-linux" not in line or not fields[1].startswith("rw"):
                continue
            start, end = (int(part, 16) for part in fields[0].split("-"))
            memory = ctypes.string_at(start, end - start)
            at = memory.find(CERTIFICATE_ROOT)
            while at >= 0:
                found.append(start + at)
                at = memory.find(CERTIFICATE_ROOT, at + 1)
    return found
