"""What a device needs next."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from wafast.devices.held import Held
from wafast.devices.pairing import Pairing
from wafast.devices.reconciler import CONNECT_SECONDS, REDIAL_SECONDS, Row, Step, decide
from wafast.devices.state import HOME_AWAY, LOST, ON_REQUEST

WORKER, PAIRING = uuid4(), uuid4()
PAIRED = {"jid": "60123456789@s.whatsapp.net", "store": "a.db"}


def row(**fields: Any) -> Row:
    plain: dict[str, Any] = {
        "no": 1, "id": UUID(int=1), "tenant_id": 1, "desired_state": "disconnected", "state": "new", "failures": 0,
        "crashes": 0, "is_here": True,
        "jid": None, "push_name": None, "store": None, "proxy": None, "is_due": True,
        "waits_for_person": False, "epoch": 3, "pairing_id": None, "pairing_phone": None, "pairing_expired": None,
    }  # fmt: skip
    return Row(**(plain | fields))


def held(*, state: str = "offline", age: float = 0.0, session: bool = False, pairing: UUID | None = None) -> Held:
    one = Held(1, 1, (WORKER, 3))
    one.state, one.state_at = state, 1000.0 - age  # type: ignore[assignment]
    one.session = object() if session else None  # type: ignore[assignment]
    if pairing is not None:
        one.pairing = Pairing(None, one.lease, 1, pairing, None, "b.db", None)  # type: ignore[arg-type]
    return one


CONNECTED = {"desired_state": "connected", **PAIRED}
CASES: list[tuple[str, dict[str, Any], dict[str, Any], Step]] = [
    ("nothing is wanted of a new device", {}, {}, Step.RELEASE),
    ("a pairing waits", {"pairing_id": PAIRING}, {}, Step.PAIR),
    ("a pairing is under way", {"pairing_id": PAIRING}, {"session": True, "pairing": PAIRING}, Step.NOTHING),
    ("its codes end soon", {"pairing_id": PAIRING, "pairing_expired": True}, {"session": True, "pairing": PAIRING},
     Step.EXPIRE_PAIRING),
    ("a pairing is too old", {"pairing_id": PAIRING, "pairing_expired": True}, {}, Step.EXPIRE_PAIRING),
    ("a pairing was cancelled", {"state": "pairing"}, {"session": True, "pairing": PAIRING}, Step.CANCEL_PAIRING),
    ("a newer pairing", {"pairing_id": uuid4()}, {"session": True, "pairing": PAIRING}, Step.CANCEL_PAIRING),
    ("a dead worker's pairing", {"state": "pairing"}, {}, Step.DISCONNECT),
    ("it should be connected", {**CONNECTED, "state": "offline"}, {}, Step.CONNECT),
    ("its backoff runs", {**CONNECTED, "state": "offline", "is_due": False}, {}, Step.NOTHING),
    ("its session file is elsewhere", {**CONNECTED, "state": "offline", "is_here": False}, {}, Step.SAY_AWAY),
    ("its worker died elsewhere", {**CONNECTED, "state": "connecting", "is_here": False}, {}, Step.SAY_AWAY),
    ("its session file is moved while it runs", {**CONNECTED, "state": "online", "is_here": False},
     {"session": True, "state": "online"}, Step.SAY_AWAY),
    ("it says that its session file is elsewhere",
     {**CONNECTED, "state": "offline", "state_reason": HOME_AWAY, "is_here": False}, {}, Step.RELEASE),
    ("it was replaced elsewhere", {**CONNECTED, "state": "replaced", "is_here": False}, {}, Step.RELEASE),
    ("only a person can help", {**CONNECTED, "state": "banned", "is_due": False, "waits_for_person": True}, {},
     Step.RELEASE),
    ("a person has connected it again", {**CONNECTED, "state": "replaced"}, {}, Step.CONNECT),
    ("no connecting without a link", {**CONNECTED, "state": "logged_out"}, {}, Step.RELEASE),
    ("it is online", {**CONNECTED, "state": "online"}, {"session": True, "state": "online", "age": 1e6}, Step.NOTHING),
    ("it is connecting", {**CONNECTED}, {"session": True, "state": "connecting", "age": 1}, Step.NOTHING),
    ("its proxy was changed", {**CONNECTED, "state": "online", "proxy": "http://10.0.0.9:8080"},
     {"session": True, "state": "online"}, Step.CHANGE_PROXY),
    ("it hangs", {**CONNECTED}, {"session": True, "state": "connecting", "age": CONNECT_SECONDS + 1}, Step.RESTART),
    ("it dials by itself", {**CONNECTED}, {"session": True, "age": CONNECT_SECONDS + 1}, Step.NOTHING),
    ("it dials in vain", {**CONNECTED}, {"session": True, "age": REDIAL_SECONDS + 1}, Step.RESTART),
    ("a person disconnects it", {**PAIRED, "state": "online"}, {"session": True, "state": "online"}, Step.DISCONNECT),
    ("it is disconnected", {**PAIRED, "state": "offline", "state_reason": ON_REQUEST}, {}, Step.RELEASE),
    ("a person disconnects it while it waits to try again", {**PAIRED, "state": "offline", "state_reason": LOST}, {},
     Step.DISCONNECT),
    ("a person disconnects what is banned", {**PAIRED, "state": "banned", "state_reason": "banned"}, {}, Step.RELEASE),
    ("a person logs it out", {**PAIRED, "desired_state": "logged_out", "state": "online"}, {"session": True},
     Step.LOG_OUT),
    ("it is logged out", {**PAIRED, "desired_state": "logged_out", "state": "logged_out"}, {}, Step.RELEASE),
    ("another worker took it", {**CONNECTED, "epoch": 4}, {"session": True}, Step.DROP),
]  # fmt: skip


@pytest.mark.parametrize(("in_database", "in_worker", "step"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_next_step(in_database: dict[str, Any], in_worker: dict[str, Any], step: Step) -> None:
    assert decide(row(**in_database), held(**in_worker), 1000.0) is step
