"""Structured logs: readable on a terminal, JSON lines elsewhere, levels per component."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec


@contextmanager
def _without(module: str) -> Iterator[None]:
    """To import this module fails meanwhile, where nobody has before."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


# It would draw what has failed, which is text here before that: a tenth of a second of every process's start, and 4 MB.
with _without("rich"):
    import structlog

#: Keys whose values never reach a log.
SECRETS = frozenset(
    {"password", "key", "token", "cookie", "authorization", "secret", "qr", "pairing_code", "media_key"}
)


#: `scheme://user:` and the password after it.
ADDRESS_PASSWORD = re.compile(r"(\w://[^\s:/@]*:)[^\s@]+@")
#: What a level may be set for: the parts of wafast, and of each what is behind a dot (`devices.gate`).
COMPONENTS = frozenset(
    path.stem
    for path in Path(__file__).parent.iterdir()
    if path.name[0] != "_" and (path.suffix == ".py" or (path / "__init__.py").exists())
)
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
FORMS = frozenset({"json", "text"})


class Wanted(msgspec.Struct, frozen=True):
    """WAFAST_LOG taken apart: the level of all, those of components, and the form if one is given."""

    level: int
    components: dict[str, int]
    form: str | None


def read(text: str) -> Wanted:
    """`info,devices=debug,json`: a level, levels per component, and json or text; all but the first may be left out.

    Raises ValueError that says what is wanted.
    """
    level, components, form = logging.INFO, {}, None
    for part in text.lower().split(","):
        component, equals, name = (piece.strip() for piece in part.rpartition("="))
        if not equals and name in FORMS:
            form = name
        elif name not in LEVELS:
            raise ValueError(f"{part.strip()!r} is no level ({', '.join(LEVELS)}), and neither json nor text")
        elif not equals:
            level = LEVELS[name]
        elif component.partition(".")[0] not in COMPONENTS:
            raise ValueError(f"there is no component {component!r}; there are {', '.join(sorted(COMPONENTS))}")
        else:
            components[component] = LEVELS[name]
    return Wanted(level, components, form)


def configure(levels: str, process: str, *, worker: str | None = None) -> None:
    """Set this process's logging up: JSON lines, or text on a terminal, on stderr.

    Args:
        levels: WAFAST_LOG (see `read`).
        process: the name every line carries.
        worker: the id of a worker; every line carries its first eight characters, by which `/metrics` and the table of
            workers know it too. Lines about a device carry its number (`devices.no`) as `device`.
    """
    wanted = read(levels)
    as_text = sys.stderr.isatty() if wanted.form is None else wanted.form == "text"
    render = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if as_text else structlog.processors.JSONRenderer()
    )
    always = {"process": process} | ({"worker": worker[:8]} if worker else {})
    shared: list[structlog.typing.Processor] = [
        _carrying(always),
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _hide_secrets,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("wafast").setLevel(wanted.level)
    for component, level in wanted.components.items():
        logging.getLogger(f"wafast.{component}").setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a component: `get("devices.fleet")`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"wafast.{name}")
    return logger


def _carrying(always: dict[str, str]) -> structlog.typing.Processor:
    # Not context variables: threads of our own start with an empty context.
    def add(_logger: Any, _method: str, event: Any) -> Any:
        event.update(always)
        return event

    return add


def _hide_secrets(_logger: Any, _method: str, event: Any) -> Any:
    return {name: "***" if name.lower() in SECRETS else _hidden(value) for name, value in event.items()}


def _hidden(value: Any) -> Any:
    """A value without what nobody may read: secrets by their name, passwords in addresses."""
    if isinstance(value, str):
        return ADDRESS_PASSWORD.sub(r"\1***@", value) if "@" in value else value
    if isinstance(value, dict):
        return {name: "***" if str(name).lower() in SECRETS else _hidden(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(part) for part in value]
    return value
