"""Password hashes: Argon2id, about 0.4 s of CPU each, so always in a thread and few at a time."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_hasher = PasswordHasher()
#: A hash of nothing anybody can type, so that an unknown e-mail takes as long as a wrong password.
_nobody = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b7hBCK3kV8SuF4Vh3YCqrfbPYU"
#: Each takes 64 MiB; more at once would only queue for the cores.
_at_once = asyncio.Semaphore(2)

#: No letter that can be taken for another.
ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def random_password() -> str:
    """20 characters, 115 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(20))


async def hash_password(password: str) -> str:
    """The hash to store."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def is_right(password: str, stored: str | None) -> bool:
    """Whether `password` has this hash; with None it takes the same time and is wrong."""
    async with _at_once:
        return await asyncio.to_thread(_check, password, stored)


def _check(password: str, stored: str | None) -> bool:
    try:
        return _hasher.verify(stored or _nobody, password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False
