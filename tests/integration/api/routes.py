"""Every route with its policy: the list a reviewer reads, and what a request to each looks like."""

from __future__ import annotations

from typing import Any

import msgspec


class Route(msgspec.Struct, frozen=True):
    """One operation.

    Args:
        method: of HTTP.
        path: with its parameters' names.
        policy: who may use it.
        body: an acceptable JSON body, if it wants one.
    """

    method: str
    path: str
    policy: str
    body: Any = None


A = "/api/v1"
ROUTES = (
    Route("POST", f"{A}/session", "public"),
    Route("GET", f"{A}/session", "user"),
    Route("PATCH", f"{A}/session", "user", {"tenant_id": "1"}),
    Route("DELETE", f"{A}/session", "user"),
    Route("POST", f"{A}/session/password", "user", {"current": "x", "new": "longer than that"}),
    Route("GET", f"{A}/keys", "admin"),
    Route("POST", f"{A}/keys", "admin", {"name": "CRM", "scope": "read"}),
    Route("DELETE", f"{A}/keys/{{key_id}}", "admin"),
    Route("GET", f"{A}/users", "admin"),
    Route("POST", f"{A}/users", "admin", {"name": "Aina", "email": "aina@example.com"}),
    Route("PATCH", f"{A}/users/{{user_id}}", "admin", {"name": "Aina"}),
    Route("POST", f"{A}/users/{{user_id}}/password", "admin"),
    Route("DELETE", f"{A}/users/{{user_id}}", "admin"),
    Route("POST", f"{A}/devices", "admin", {"name": "Sales"}),
    Route("GET", f"{A}/devices", "read"),
    Route("GET", f"{A}/devices/summary", "read"),
    Route("POST", f"{A}/devices/bulk", "send", {"action": "connect", "device_ids": ["x"]}),
    Route("GET", f"{A}/devices/{{device_id}}", "read"),
    Route("GET", f"{A}/devices/{{device_id}}/changes", "read"),
    Route("PATCH", f"{A}/devices/{{device_id}}", "admin", {"name": "Support"}),
    Route("DELETE", f"{A}/devices/{{device_id}}", "admin"),
    Route("POST", f"{A}/devices/{{device_id}}/connect", "send"),
    Route("POST", f"{A}/devices/{{device_id}}/disconnect", "send"),
    Route("POST", f"{A}/devices/{{device_id}}/logout", "admin"),
    Route("POST", f"{A}/devices/{{device_id}}/check-numbers", "send", {"phones": ["60123456789"]}),
    Route("POST", f"{A}/devices/{{device_id}}/pairings", "admin", {"method": "qr"}),
    Route("GET", f"{A}/pairings/{{pairing_id}}", "read"),
    Route("DELETE", f"{A}/pairings/{{pairing_id}}", "admin"),
    Route("GET", f"{A}/devices/{{device_id}}/chats", "read"),
    Route("GET", f"{A}/chats", "read"),
    Route("GET", f"{A}/chats/{{chat_id}}", "read"),
    Route("PATCH", f"{A}/chats/{{chat_id}}", "send", {"is_open": False}),
    Route("GET", f"{A}/chats/{{chat_id}}/facts", "read"),
    Route("GET", f"{A}/chats/{{chat_id}}/notes", "read"),
    Route("POST", f"{A}/chats/{{chat_id}}/notes", "send", {"text": "Call back"}),
    Route("PATCH", f"{A}/chats/{{chat_id}}/notes/{{note_id}}", "send", {"text": "Called"}),
    Route("DELETE", f"{A}/chats/{{chat_id}}/notes/{{note_id}}", "send"),
    Route("GET", f"{A}/colleagues", "read"),
    Route("GET", f"{A}/labels", "read"),
    Route("POST", f"{A}/labels", "admin", {"name": "Paid", "colour": "green"}),
    Route("PATCH", f"{A}/labels/{{label_id}}", "admin", {"colour": "red"}),
    Route("DELETE", f"{A}/labels/{{label_id}}", "admin"),
    Route("GET", f"{A}/chats/{{chat_id}}/messages", "read"),
    Route("GET", f"{A}/chats/{{chat_id}}/media", "read"),
    Route("GET", f"{A}/devices/{{device_id}}/media", "read"),
    Route("GET", f"{A}/messages/{{message_id}}/receipts", "read"),
    Route("POST", f"{A}/chats/{{chat_id}}/read", "send"),
    Route("POST", f"{A}/chats/{{chat_id}}/typing", "send", {"state": "composing"}),
    Route("GET", f"{A}/search", "read"),
    Route("POST", f"{A}/messages", "send", {"device_id": "{device_id}", "to": "60123456789", "text": "Hi"}),
    Route("POST", f"{A}/messages/{{message_id}}/react", "send", {"emoji": "👍"}),
    Route("POST", f"{A}/messages/{{message_id}}/edit", "send", {"text": "Hello"}),
    Route("POST", f"{A}/messages/{{message_id}}/delete", "send"),
    Route("POST", f"{A}/messages/{{message_id}}/forward", "send", {"chat_ids": ["1"]}),
    Route("POST", f"{A}/messages/{{message_id}}/played", "send"),
    Route("GET", f"{A}/quick-replies", "read"),
    Route("POST", f"{A}/quick-replies", "send", {"name": "thanks", "text": "You're welcome"}),
    Route("PATCH", f"{A}/quick-replies/{{reply_id}}", "send", {"text": "Welcome"}),
    Route("DELETE", f"{A}/quick-replies/{{reply_id}}", "send"),
    Route("GET", f"{A}/chats/{{chat_id}}/lead", "read"),
    Route("GET", f"{A}/sequences", "read"),
    Route("POST", f"{A}/sequences", "admin", {"name": "Welcome"}),
    Route("GET", f"{A}/sequences/{{sequence_id}}", "read"),
    Route("PATCH", f"{A}/sequences/{{sequence_id}}", "admin", {"name": "Hello"}),
    Route("DELETE", f"{A}/sequences/{{sequence_id}}", "admin"),
    Route(
        "POST", f"{A}/sequences/{{sequence_id}}/steps", "admin", {"delay_seconds": 0, "message": {"text": "Hi {name}"}}
    ),
    Route("PATCH", f"{A}/sequences/{{sequence_id}}/steps/{{step_id}}", "admin", {"delay_seconds": 60}),
    Route("DELETE", f"{A}/sequences/{{sequence_id}}/steps/{{step_id}}", "admin"),
    Route("GET", f"{A}/sequences/{{sequence_id}}/report", "read"),
    Route("GET", f"{A}/sequences/{{sequence_id}}/report.csv", "read"),
    Route("GET", f"{A}/sequences/{{sequence_id}}/enrolments", "read"),
    Route("POST", f"{A}/sequences/{{sequence_id}}/enrolments", "admin", {"lead_ids": ["1"]}),
    Route("PATCH", f"{A}/sequences/{{sequence_id}}/enrolments/{{enrolment_id}}", "admin", {"state": "paused"}),
    Route("POST", f"{A}/sequences/{{sequence_id}}/enrolments/{{enrolment_id}}/skip", "admin"),
    Route("GET", f"{A}/devices/{{device_id}}/outbox", "read"),
    Route("GET", f"{A}/outbox/{{outbox_id}}", "read"),
    Route("POST", f"{A}/outbox/{{outbox_id}}/retry", "send"),
    Route("POST", f"{A}/outbox/{{outbox_id}}/cancel", "send"),
    Route("POST", f"{A}/distributions/preview", "admin", {"device_ids": None}),
    Route("POST", f"{A}/distributions", "admin", {"device_ids": None}),
    Route("GET", f"{A}/distributions", "read"),
    Route("GET", f"{A}/distributions/{{distribution_id}}", "read"),
    Route("POST", f"{A}/distributions/{{distribution_id}}/undo", "admin"),
    Route("GET", f"{A}/outbox/{{outbox_id}}/decisions", "read"),
    Route("GET", f"{A}/leads/{{lead_id}}/decisions", "read"),
    Route("POST", f"{A}/media", "send"),
    Route("GET", "/media/{filename}", "read"),
    Route("GET", "/ws", "read"),
    Route("GET", "/healthz", "public"),
    Route("GET", "/readyz", "public"),
    Route("GET", "/metrics", "public"),
    Route("GET", "/docs", "public"),
    Route("GET", "/docs/openapi.json", "public"),
    Route("GET", "/docs/{path}", "public"),
    Route("GET", "/", "public"),
    Route("GET", "/{path}", "public"),
)
