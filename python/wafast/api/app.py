"""The application: every controller, and what holds for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from wafast.accounts.principal import Principal
from wafast.api.all_chats import AllChatsController
from wafast.api.audit import AuditController
from wafast.api.bodies import refuse_unread
from wafast.api.campaign_actions import CampaignActionController
from wafast.api.campaign_preview import CampaignPreviewController
from wafast.api.campaign_reports import CampaignReportController
from wafast.api.campaigns import CampaignController
from wafast.api.chat_lead import ChatLeadController
from wafast.api.chat_opening import ChatOpeningController
from wafast.api.chat_work import ChatWorkController
from wafast.api.chats import ChatController
from wafast.api.database_errors import answer_away, answer_gone, answer_held, answer_refused_text
from wafast.api.device_bulk import DeviceBulkController
from wafast.api.devices import DeviceController
from wafast.api.distributions import DecisionController, DistributionController
from wafast.api.docs import DocumentFile, DocumentPage, docs_router
from wafast.api.drafts import DraftController
from wafast.api.enrolments import EnrolmentController
from wafast.api.exports import LeadExportController, SuppressionExportController
from wafast.api.gallery import GalleryController
from wafast.api.gate import MAX_JSON_BODY, Gate
from wafast.api.health import HealthController
from wafast.api.imports import ImportController, SuppressionImportController
from wafast.api.intakes import IntakeController
from wafast.api.keys import KeyController
from wafast.api.labels import LabelController
from wafast.api.lead_details import LeadDetailController
from wafast.api.leads import LeadController
from wafast.api.live import live
from wafast.api.media import FileController, UploadController
from wafast.api.members import MemberController
from wafast.api.message_actions import MessageActionController
from wafast.api.notes import NoteController
from wafast.api.numbers import NumberController
from wafast.api.openapi import document_config
from wafast.api.outbox import OutboxController
from wafast.api.pacing import DefaultPacingController
from wafast.api.pairings import PairingController
from wafast.api.parameters import require_known
from wafast.api.pins import PinController
from wafast.api.problems import Problem, answer_problem, answer_too_deep, answer_unexpected
from wafast.api.quick_replies import QuickReplyController
from wafast.api.reactions import ReactionController
from wafast.api.receipts import ReceiptController
from wafast.api.refusals import answer_http_exception, answer_undecodable
from wafast.api.replacements import ReplacementController
from wafast.api.scorings import ScoringController
from wafast.api.search import SearchController
from wafast.api.segments import SegmentController
from wafast.api.sequences import SequenceController
from wafast.api.services import Services
from wafast.api.session import SessionController
from wafast.api.suppressions import OptOutController, SuppressionController
from wafast.api.users import UserController
from wafast.api.votes import VoteController
from wafast.api.web_app import web_app
from wafast.api.workspace import WorkspaceController
from wafast.database.away import DATABASE_AWAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager


def principal_of(request: Request[Any, Any, Any]) -> Principal:
    """The caller the gate let in."""
    found: Principal = request.scope["user"]
    return found


def services_of(request: Request[Any, Any, Any]) -> Services:
    """The process' services, as the gate gives them to this request."""
    found: Services = request.scope["state"].get("services") or request.app.state.services
    return found


def create_app(lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]] | None = None) -> Litestar:
    """The ASGI application.

    Args:
        lifespan: opens the services; without it only the OpenAPI document can be had.
    """
    versioned = Router(
        "/api/v1",
        guards=[require_known],
        before_request=refuse_unread,
        route_handlers=[
            SessionController,
            KeyController,
            AuditController,
            DeviceController,
            DeviceBulkController,
            DefaultPacingController,
            ChatOpeningController,
            NumberController,
            PairingController,
            ChatController,
            SearchController,
            GalleryController,
            ReactionController,
            PinController,
            VoteController,
            MemberController,
            ReceiptController,
            AllChatsController,
            ChatWorkController,
            DraftController,
            NoteController,
            LabelController,
            UserController,
            OutboxController,
            MessageActionController,
            QuickReplyController,
            UploadController,
            SequenceController,
            EnrolmentController,
            IntakeController,
            ChatLeadController,
            CampaignController,
            CampaignActionController,
            CampaignPreviewController,
            CampaignReportController,
            DistributionController,
            DecisionController,
            ReplacementController,
            LeadController,
            LeadDetailController,
            ScoringController,
            ImportController,
            LeadExportController,
            SegmentController,
            SuppressionController,
            SuppressionImportController,
            SuppressionExportController,
            OptOutController,
            WorkspaceController,
        ],
    )
    return Litestar(
        route_handlers=[versioned, FileController, HealthController, live, web_app],
        middleware=[Gate],
        lifespan=[] if lifespan is None else [lifespan],
        dependencies={
            "principal": Provide(principal_of, sync_to_thread=False),
            "services": Provide(services_of, sync_to_thread=False),
        },
        exception_handlers={
            Problem: answer_problem,
            HTTPException: answer_http_exception,
            asyncpg.DataError: answer_refused_text,
            asyncpg.LockNotAvailableError: answer_held,
            asyncpg.DeadlockDetectedError: answer_held,
            asyncpg.ForeignKeyViolationError: answer_gone,
            **dict.fromkeys(DATABASE_AWAY, answer_away),
            UnicodeDecodeError: answer_undecodable,
            RecursionError: answer_too_deep,
            Exception: answer_unexpected,
        },
        openapi_config=document_config(docs_router(), [DocumentFile(), DocumentPage()]),
        request_max_body_size=MAX_JSON_BODY,
        logging_config=None,
    )
