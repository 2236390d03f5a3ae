"""Logging: one line per event, with the id of the request and without the keys in URLs."""

import logging as python_logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured

#: URLs that admit everyone who has them (invitations, links in mails), and the parameters with which an identity provider returns.
_KEYS = re.compile(
    r"(/join/|/unsubscribe/|/accounts/password/reset/key/|/accounts/address/confirm/|[?&](?:code|state)=)[^/\s?&\"']+"
)


def remove_url_keys(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove the keys from URLs (a structlog processor). Django logs the URL of every request that it refuses."""
    return {name: _KEYS.sub(r"\1…", value) if isinstance(value, str) else value for name, value in event.items()}


def logging_config(level: str, *, plain: bool) -> dict[str, Any]:
    """The value of LOGGING: one line per event on standard output, as JSON or as `plain` text. Raises ImproperlyConfigured."""
    if level.upper() not in python_logging.getLevelNamesMapping():
        raise ImproperlyConfigured(f"LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not {level!r}.")
    renderer: Any = structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        remove_url_keys,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": structlog.stdlib.ProcessorFormatter, "processor": renderer, "foreign_pre_chain": shared}
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level.upper()},
        "loggers": {
            "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            "urllib3": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            # A line each second would bury everything else.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.worker.request": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "amqp": {"level": "WARNING"},
        },
    }
