"""The application: every controller, and what holds for all of them."""

from __future__ import annotations

from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from wafast.api.authentication import Principal
from wafast.api.chats import ChatController
from wafast.api.devices import DeviceController
from wafast.api.docs import DocumentFile, DocumentPage, docs_router
from wafast.api.health import HealthController
from wafast.api.keys import KeyController
from wafast.api.media import FileController, UploadController
from wafast.api.openapi import document_config
from wafast.api.outbox import OutboxController
from wafast.api.pairings import PairingController
from wafast.api.problems import Problem, answer_http_exception, answer_problem, answer_unexpected
from wafast.api.services import Services
from wafast.api.session import SessionController

MAX_BODY = 1 << 20  # bytes of a JSON body; uploads have their own limit


def principal_of(request: Request) -> Principal:
    """The caller the policy guard let in."""
    found: Principal = request.scope["user"]
    return found


def services_of(request: Request) -> Services:
    """The process' services."""
    found: Services = request.app.state.services
    return found


def create_app() -> Litestar:
    """The ASGI application."""
    versioned = Router(
        "/api/v1",
        route_handlers=[
            SessionController,
            KeyController,
            DeviceController,
            PairingController,
            ChatController,
            OutboxController,
            UploadController,
        ],
    )
    return Litestar(
        route_handlers=[versioned, FileController, HealthController],
        dependencies={
            "principal": Provide(principal_of, sync_to_thread=False),
            "services": Provide(services_of, sync_to_thread=False),
        },
        exception_handlers={
            Problem: answer_problem,
            HTTPException: answer_http_exception,
            Exception: answer_unexpected,
        },
        openapi_config=document_config(docs_router(), [DocumentFile(), DocumentPage()]),
        request_max_body_size=MAX_BODY,
        logging_config=None,
    )
