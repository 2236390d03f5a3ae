"""The routes, one file per resource, gathered by service."""

from __future__ import annotations

from workflows_ui.practice_engine.router import Routes

from . import (
    connections,
    flows,
    folders,
    gateway,
    invitations,
    mcp,
    pieces,
    records,
    runs,
    step_files,
    tables,
    triggers,
    users,
    webhooks,
)

ENGINE = Routes()
_PARTS = (
    flows,
    webhooks,
    step_files,
    runs,
    folders,
    connections,
    pieces,
    triggers,
    tables,
    records,
    mcp,
    invitations,
    users,
)
for part in _PARTS:
    ENGINE.routes.extend(part.routes.routes)

SERVICES = {
    "engine": ENGINE,
    "channel": gateway.channel,
    "backend": gateway.backend,
    "platform": gateway.platform,
    "gateway": gateway.root,
}
