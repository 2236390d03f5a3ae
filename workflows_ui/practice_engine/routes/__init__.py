"""The routes, one module per resource, collected by service."""

from workflows_ui.practice_engine.core import Routes

from . import (
    authentication,
    connections,
    flows,
    folders,
    gateway,
    human_input,
    invitations,
    mcp,
    mcp_server,
    pieces,
    platforms,
    projects,
    records,
    runs,
    samples,
    step_files,
    tables,
    triggers,
    users,
    webhooks,
)

ENGINE = Routes()
for module in (
    *(flows, webhooks, human_input, step_files, samples, runs, folders, connections, pieces, triggers, tables, records),
    *(mcp, mcp_server, invitations, users, authentication, projects, platforms),
):
    ENGINE.routes.extend(module.routes.routes)

SERVICES = {
    "engine": ENGINE,
    "channel": gateway.channel,
    "backend": gateway.backend,
    "platform": gateway.platform,
    "gateway": gateway.root,
}
