"""Structured logs: readable on a terminal, JSON lines elsewhere, levels per component."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

#: Keys whose values never reach a log.
SECRETS = frozenset(
    {"password", "key", "token", "cookie", "authorization", "secret", "qr", "pairing_code", "media_key"}
)


def configure(levels: str, process: str) -> None:
    """Set this process's logging up.

    `levels` is WAFAST_LOG (`info,devices=debug`), `process` the name every line carries.
    """
    default, components = logging.INFO, {}
    for part in levels.split(","):
        component, equals, level = part.strip().rpartition("=")
        if equals:
            components[component] = getattr(logging, level.upper())
        else:
            default = getattr(logging, level.upper())
    render = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    shared: list[structlog.typing.Processor] = [
        _named(process),
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("wafast").setLevel(default)
    for component, level in components.items():
        logging.getLogger(f"wafast.{component}").setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a component: `get("devices.worker")`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"wafast.{name}")
    return logger


def _named(process: str) -> structlog.typing.Processor:
    # Not a context variable: threads of our own start with an empty context.
    def add(_logger: Any, _method: str, event: Any) -> Any:
        event["process"] = process
        return event

    return add


def _hide_secrets(_logger: Any, _method: str, event: Any) -> Any:
    for name in event.keys() & SECRETS:
        event[name] = "***"
    return event
