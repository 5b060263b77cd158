"""Everything around the routes: the web app, the document, health, headers, addresses that are nothing."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.world import Tenant, World
from wafast.api.openapi import document
from wafast.api.web_app import POLICY, WEB_DIR


def test_health_needs_nobody(world: World) -> None:
    assert world.anybody().get("/healthz").json() == {"status": "ok"}
    ready = world.anybody().get("/readyz").json()
    assert ready["status"] == "ok" and ready["migration"] >= 1


def test_figures_for_prometheus(world: World, tenant: Tenant) -> None:
    tenant.outbox(tenant.device())
    world.anybody().get("/api/v1/devices")
    answer = world.anybody().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'wafast_api_requests_total{method="GET",route="/api/v1/devices",status="401"}' in answer.text
    assert "wafast_sockets " in answer.text
    assert 'wafast_devices{network="whatsapp",state="online"}' in answer.text
    assert 'wafast_outbox_open{network="whatsapp",state="queued"}' in answer.text


def test_what_workers_count_is_a_series_for_each_of_them(world: World) -> None:
    alive, dead, gone = uuid4(), uuid4(), uuid4()
    counted = '"stored": 12, "undecryptable": 1, "open": 3, "spool_bytes": 16777216, "a later one": 1'
    counted += ', "reconnects": 2, "connect_queue": 9, "moves": [["offline", "online", 4]], "rss_bytes": 1048576'
    figures = f'{{{counted}, "histograms": {{"commit_seconds": [[[0.005, 4], [10.0, 6]], 7, 31.5]}}}}'
    lives, is_over = "now() + interval '20 seconds'", "'-infinity'"
    for id, seconds, expires_at in ((alive, 1, lives), (dead, 100, is_over), (gone, 1000, is_over)):
        world.sql(
            "INSERT INTO workers (id, network, node, pid, beat_at, expires_at, figures) "
            f"VALUES ('{id}', 'whatsapp', 'n', 1, now() - interval '{seconds} seconds', {expires_at}, '{figures}')"
        )
    text = world.anybody().get("/metrics").text
    labels = f'network="whatsapp",worker="{alive}"'
    for line in (
        f"wafast_messages_stored_total{{{labels}}} 12.0",
        f"wafast_undecryptable_total{{{labels}}} 1.0",
        f"wafast_ingest_open_events{{{labels}}} 3.0",
        f"wafast_spool_bytes{{{labels}}} 1.6777216e+07",
        f"wafast_reconnects_total{{{labels}}} 2.0",
        f"wafast_connect_queue{{{labels}}} 9.0",
        f"wafast_worker_resident_bytes{{{labels}}} 1.048576e+06",
        f"wafast_worker_devices{{{labels}}} 0.0",
        f'wafast_device_state_changes_total{{from="offline",network="whatsapp",to="online",worker="{alive}"}} 4.0',
        f'wafast_ingest_commit_seconds_bucket{{le="0.005",{labels}}} 4.0',
        f'wafast_ingest_commit_seconds_bucket{{le="+Inf",{labels}}} 7.0',
        f"wafast_ingest_commit_seconds_count{{{labels}}} 7.0",
        f"wafast_ingest_commit_seconds_sum{{{labels}}} 31.5",
        f'wafast_messages_stored_total{{network="whatsapp",worker="{dead}"}} 12.0',
        "# HELP wafast_undecryptable_total Messages that could not be read and are shown as waiting.",
        "# TYPE wafast_undecryptable_total counter",
    ):
        assert line in text.splitlines()
    assert f'wafast_worker_devices{{network="whatsapp",worker="{dead}"}}' not in text, "it has nothing any more"
    assert str(gone) not in text and "later" not in text
    world.sql(f"DELETE FROM workers WHERE id = '{alive}'")


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v2/devices", "/api", "/media/", "/assets/missing.js", f"/assets/{'a' * 300}.js"]
)
def test_an_address_that_is_nothing(world: World, path: str) -> None:
    answer = world.anybody().get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_method_that_is_not_there(world: World) -> None:
    answer = world.anybody().put("/api/v1/devices", json={})
    assert answer.status_code == 405
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("path", ["/", "/devices", "/device/0b9f/whatsapp-web", "/keys", f"/{'é' * 200}"])
def test_pages_are_the_app(world: World, path: str) -> None:
    answer = world.anybody().get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.skipif(not (WEB_DIR / "assets").is_dir(), reason="the web app is not built")
def test_the_icon_is_not_asked_for_with_each_chat_that_is_opened(world: World) -> None:
    assert world.anybody().get("/favicon.svg").headers["cache-control"] == "public, max-age=86400"
    assert world.anybody().get("/no-such-icon.svg").headers["cache-control"] == "no-cache"


@pytest.mark.skipif(not (WEB_DIR / "assets").is_dir(), reason="the web app is not built")
def test_files_of_the_app_are_kept_by_the_browser(world: World) -> None:
    script = next((WEB_DIR / "assets").glob("*.js"))
    answer = world.anybody().get(f"/assets/{script.name}", headers={"Accept-Encoding": "gzip"})
    assert answer.content == script.read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    again = world.anybody().get(f"/assets/{script.name}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/assets/%2e%2e/%2e%2e/api/app.py", "/..%2f..%2fsettings.py", "/%2fetc/passwd", "/a%00"]
)
def test_nothing_outside_the_app_is_served(world: World, path: str) -> None:
    answer = world.anybody().get(path)
    assert "import" not in answer.text.partition("</head>")[2]
    assert "root:" not in answer.text
    assert answer.status_code in (200, 404)


def test_the_document(world: World) -> None:
    served = world.anybody().get("/docs/openapi.json").json()
    assert served == document()
    assert served["openapi"].startswith("3.1")
    page = world.anybody().get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text and "https://" not in page.text


def test_the_document_is_complete() -> None:
    operations = [
        (path, method, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert operation["x-policy"], (path, method)
        assert operation["description"], (path, method)
        assert "requestBody" not in operation or "413" in operation["responses"], (path, method)


def test_no_part_of_the_document_may_be_anything() -> None:
    def look(part: Any, where: str) -> None:
        for key, under in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
            if key in ("oneOf", "anyOf"):
                assert {} not in under, where
            look(under, f"{where}/{key}")

    look(document(), "")
