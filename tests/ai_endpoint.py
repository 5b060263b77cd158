"""An AI endpoint on 127.0.0.1 that says what a test has it say. It is an edge we don't own."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import msgspec

KEY, MODEL = "sk-geheim-4711", "qwen3:8b"


class Reply(msgspec.Struct, frozen=True):
    """One answer.

    Args:
        status: of HTTP.
        body: as it goes over the wire.
        headers: more of them.
        drips: the body comes byte after byte and never ends.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    drips: bool = False


def says(words: object) -> Reply:
    """A chat completion with these words."""
    return Reply(body=json.dumps({"choices": [{"message": {"role": "assistant", "content": words}}]}).encode())


def gives(score: object, reason: object = "Asked for a price.") -> Reply:
    """The score of a lead."""
    return says(json.dumps({"score": score, "reason": reason}))


class AiEndpoint:
    """The server; `asked` are the bodies of questions, `keys` the Authorization headers of everything."""

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Reply] = lambda _: gives(50)
        self.models = Reply(body=json.dumps({"data": [{"id": MODEL}]}).encode())
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        #: Questions wait for it; set unless a test clears it.
        self.open = threading.Event()
        self.open.set()
        self.under_way = self.most_at_once = 0
        self._count = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> AiEndpoint:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()

    async def until_asked(self, count: int) -> None:
        """Waits until so many questions are under way."""
        for _ in range(1500):
            if self.under_way >= count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"only {self.under_way} questions came")

    def told(self, place: int = -1) -> Any:
        """What the user message of a question says, as JSON."""
        return json.loads(self.asked[place]["messages"][1]["content"])

    def reply(self, method: str, path: str, key: str | None, body: bytes) -> Reply:
        """What one request gets."""
        self.keys.append(key)
        if (method, path) == ("GET", "/v1/models"):
            return self.models
        if (method, path) != ("POST", "/v1/chat/completions"):
            return Reply(404)
        question = json.loads(body)
        with self._count:
            self.asked.append(question)
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        self.open.wait(60)
        with self._count:
            self.under_way -= 1
        return self.answer(question)


def _handler(endpoint: AiEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = endpoint.reply(self.command, self.path, self.headers.get("Authorization"), body)
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(1 << 40 if reply.drips else len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
                while reply.drips:  # until nobody reads it any more
                    self.wfile.write(b" ")
                    time.sleep(0.01)
            except OSError:
                self.close_connection = True  # who asked did not wait for it

        do_GET = do_POST = _serve

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: pytest shows what matters."""

    return Handler
