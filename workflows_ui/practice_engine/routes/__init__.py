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
    tables,
    triggers,
    users,
    webhooks,
)

ENGINE = Routes()
for part in (flows, webhooks, runs, folders, connections, pieces, triggers, tables, records, mcp, invitations, users):
    ENGINE.routes.extend(part.routes.routes)

SERVICES = {
    "engine": ENGINE,
    "channel": gateway.channel,
    "backend": gateway.backend,
    "platform": gateway.platform,
    "gateway": gateway.root,
}
