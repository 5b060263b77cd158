"""The AI endpoint as wafast meets it: what it is told, what is taken from it, and every way it can fail."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.ai_endpoint import KEY, MODEL, AiEndpoint, Reply, says
from wafast import ai_client
from wafast.ai import AiError, Away, Refused, Unusable, plain
from wafast.ai_client import Endpoint


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AiEndpoint]:
    monkeypatch.setattr(ai_client, "PAUSES", (0.001, 0.001))
    with AiEndpoint() as running:
        yield running


async def ask(server: AiEndpoint, *, seconds: float = 20) -> str:
    """Its answer to one question."""
    endpoint = Endpoint(server.url, KEY, MODEL, at_once=1, seconds=seconds)
    try:
        return await endpoint.complete("Do it.", "With this.")
    finally:
        await endpoint.close()


async def test_a_question_says_what_is_asked_and_of_whom_and_no_more(server: AiEndpoint) -> None:
    server.answer = lambda _: says("Done.")
    assert await ask(server) == "Done."
    messages = [{"role": "system", "content": "Do it."}, {"role": "user", "content": "With this."}]
    assert server.asked == [{"model": MODEL, "messages": messages, "stream": False}]
    assert server.keys == [f"Bearer {KEY}"]


async def test_what_a_model_thinks_aloud_is_no_answer(server: AiEndpoint) -> None:
    server.answer = lambda _: says("<think>\nHm, { or not?\n</think>\n\nDone.")
    assert (await ask(server)).strip() == "Done."
    server.answer = lambda _: says("<think> and never came to an end")
    assert await ask(server) == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": "\xff"}}]}',
        b'{"choices": ' + b"[" * 100_000,
    ],
)
async def test_what_is_no_completion_is_of_no_use(server: AiEndpoint, body: bytes) -> None:
    server.answer = lambda _: Reply(body=body)
    with pytest.raises(Unusable, match="is no chat completion"):
        await ask(server)


async def test_an_answer_is_not_read_without_end(server: AiEndpoint) -> None:
    server.answer = lambda _: says("a" * ai_client.MOST_BYTES)
    with pytest.raises(Unusable, match="longer than 256 KiB"):
        await ask(server)


async def test_it_is_not_followed_elsewhere(server: AiEndpoint) -> None:
    with AiEndpoint() as other:
        server.answer = lambda _: Reply(307, headers={"Location": f"{other.url}/chat/completions"})
        with pytest.raises(Refused, match=r"leads elsewhere \(307\): set WAFAST_AI_URL"):
            await ask(server)
        assert other.asked == [] and other.keys == []


@pytest.mark.parametrize(
    ("status", "kind", "told", "times"),
    [
        (400, Unusable, "does not take the question", 1),
        (401, Refused, "refuses the key", 1),
        (402, Refused, "paid first", 1),
        (404, Refused, "WAFAST_AI_MODEL", 1),
        (429, Away, "too much to do", 3),
        (500, Away, "fails", 3),
        (503, Away, "fails", 3),
    ],
)
async def test_each_refusal_says_what_would_help_and_never_the_key(
    server: AiEndpoint, status: int, kind: type[AiError], told: str, times: int
) -> None:
    server.answer = lambda _: Reply(status, f"Incorrect API key provided: {KEY}".encode())
    with pytest.raises(kind, match=told) as refusal:
        await ask(server)
    assert KEY not in str(refusal.value) and str(status) in str(refusal.value)
    assert len(server.asked) == times


async def test_what_was_too_much_for_it_is_asked_again(server: AiEndpoint) -> None:
    replies = iter([Reply(429, headers={"Retry-After": "0"}), Reply(502), says("Done.")])
    server.answer = lambda _: next(replies)
    assert await ask(server) == "Done."


async def test_one_that_is_slow_or_never_ends_is_not_waited_for(server: AiEndpoint) -> None:
    server.answer = lambda _: Reply(body=b"{", drips=True)
    with pytest.raises(Away, match=r"did not answer within 0\.3 seconds"):
        await ask(server, seconds=0.3)
    server.open.clear()
    with pytest.raises(Away, match=r"did not answer within 0\.3 seconds"):
        await ask(server, seconds=0.3)


async def test_one_on_this_machine_is_asked_past_every_proxy(
    server: AiEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with AiEndpoint() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        server.answer = lambda _: says("Done.")
        assert await ask(server) == "Done."
        assert proxy.keys == []


async def test_one_that_is_not_there_is_named() -> None:
    with AiEndpoint() as gone:
        pass
    with pytest.raises(Away, match="The AI endpoint is not there"):
        await ask(gone)


async def test_no_more_is_asked_at_once_than_is_allowed(server: AiEndpoint) -> None:
    server.answer = lambda _: says("Done.")
    server.open.clear()
    endpoint = Endpoint(server.url, None, MODEL, at_once=2)
    questions = [asyncio.create_task(endpoint.complete("Do it.", "")) for _ in range(6)]
    await server.until_asked(2)
    assert endpoint.is_full
    server.open.set()
    assert await asyncio.gather(*questions) == ["Done."] * 6
    assert server.most_at_once == 2
    assert not endpoint.is_full and server.keys == [None] * 6
    await endpoint.close()


def test_words_of_others_are_shown_as_they_are_meant_to_be_read() -> None:
    assert plain("  Hi\0 there\x1b[2J\nSiti \u202egnp.exe\u202c 👩‍👩‍👧 ", 100) == "Hi there[2J\nSiti gnp.exe 👩‍👩‍👧"
    assert plain("abc def", 4) == "abc"


def test_who_has_no_endpoint_does_not_pay_for_its_client() -> None:
    look = "import sys, wafast.api.app, wafast.api.lifespan, wafast.cli.app; print('httpx' in sys.modules)"
    looked = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    assert looked.stdout == "False\n"
