"""Asks the AI endpoint. An error never repeats what it said: some of them say the key."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

import httpx
import msgspec

from wafast.ai import AiError, Away, Refused, Unusable

#: An answer may take so long, its repetitions among them.
SECONDS = 60.0
#: The list of models, which costs an endpoint nothing.
LOOK_SECONDS = 5.0
CONNECT_SECONDS = 5.0
#: Of an answer; an endpoint that thinks aloud needs some.
MOST_BYTES = 256 * 1024
#: Before each repetition, give or take a half; only of what was too much for it (429) or failed (5xx).
PAUSES = (0.5, 1.0, 2.0)
LONGEST_PAUSE = 10.0
#: What is on this machine is asked directly, whatever proxy the environment names.
DIRECT = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))

#: What a model thinks before it answers, where it does so aloud.
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


class Endpoint:
    """The endpoint, for one purpose in one process.

    Args:
        url: its base, as `http://127.0.0.1:11434/v1`.
        key: sent as Bearer; None for one that wants none.
        model: asked.
        at_once: questions under way at most; who comes later waits for his turn.
        seconds: an answer may take.
    """

    def __init__(self, url: str, key: str | None, model: str, *, at_once: int, seconds: float = SECONDS) -> None:
        self.url, self.model = url, model
        self._seconds = seconds
        self._turns = asyncio.Semaphore(at_once)
        self._client = httpx.AsyncClient(
            headers={"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {}),
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
            follow_redirects=False,
            mounts=DIRECT,
        )

    @property
    def is_full(self) -> bool:
        """Whether the next question would have to wait."""
        return self._turns.locked()

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

    async def complete(self, task: str, given: str) -> str:
        """What the model answers.

        Args:
            task: what it is to do.
            given: what it is to do that with; whoever wrote it may have written anything.

        Raises:
            AiError: there is none.
        """
        messages = [{"role": "system", "content": task}, {"role": "user", "content": given}]
        body = {"model": self.model, "messages": messages, "stream": False}
        async with self._turns:
            answer = await self._within(self._seconds, "POST", "/chat/completions", body)
        try:
            [first, *_] = msgspec.json.decode(answer, type=_Completion).choices
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            raise Unusable("What the AI endpoint answered is no chat completion.") from None
        return _THOUGHTS.sub("", first.message.content)

    async def models(self) -> list[str]:
        """The models it names; none when it does not tell.

        Raises:
            AiError: Away or Refused, as for every question.
        """
        try:
            answer = await self._within(LOOK_SECONDS, "GET", "/models", None)
            return [one.id for one in msgspec.json.decode(answer, type=_Models).data]
        except (Unusable, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []

    async def _within(self, seconds: float, method: str, path: str, body: Any) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(method, path, body)
        except (TimeoutError, httpx.TimeoutException):
            raise Away(f"The AI endpoint did not answer within {seconds:g} seconds.") from None
        except httpx.ConnectError:
            raise Away("The AI endpoint is not there: is it running, and is WAFAST_AI_URL right?") from None
        except httpx.TransportError as error:
            # its text may hold what the other side has sent
            raise Away(f"The AI endpoint broke off ({type(error).__name__}).") from None

    async def _ask(self, method: str, path: str, body: Any) -> bytes:
        for pause in PAUSES:
            status, answer, wait = await self._once(method, path, body)
            if status != 429 and status < 500:
                break
            await asyncio.sleep(min(LONGEST_PAUSE, max(wait, pause * random.uniform(0.5, 1.5))))
        else:
            status, answer, _ = await self._once(method, path, body)
        if 200 <= status < 300:
            return answer
        raise _refusal(status)

    async def _once(self, method: str, path: str, body: Any) -> tuple[int, bytes, float]:
        """Status, answer, and for how many seconds it wants not to be asked."""
        answer = bytearray()
        async with self._client.stream(method, f"{self.url}{path}", json=body) as response:
            if response.is_success:
                async for piece in response.aiter_raw():
                    answer += piece
                    if len(answer) > MOST_BYTES:
                        raise Unusable(f"What the AI endpoint answered is longer than {MOST_BYTES >> 10} KiB.")
        wait = response.headers.get("retry-after", "")
        return response.status_code, bytes(answer), float(wait) if wait.isascii() and wait.isdigit() else 0.0


def _refusal(status: int) -> AiError:
    if status == 429:
        return Away("The AI endpoint has too much to do (429): try again later.", is_busy=True)
    if status >= 500:
        return Away(f"The AI endpoint fails ({status}): its own log says why.")
    if status < 400:
        return Refused(f"The AI endpoint leads elsewhere ({status}): set WAFAST_AI_URL to where it is.")
    if status in (401, 403):
        return Refused(f"The AI endpoint refuses the key ({status}): look at WAFAST_AI_KEY.")
    if status in (404, 405):
        return Refused(
            f"The AI endpoint has no chat completions or no such model ({status}): look at WAFAST_AI_URL and "
            "WAFAST_AI_MODEL."
        )
    if status == 402:
        return Refused("The AI endpoint wants to be paid first (402).")
    return Unusable(f"The AI endpoint does not take the question ({status}).")
