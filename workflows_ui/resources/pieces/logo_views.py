"""The logo of an app."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from workflows_ui.credentials.services import engine_session
from workflows_ui.engine.images import NoImage
from workflows_ui.members.models import Role
from workflows_ui.resources.pieces import apps, logos
from workflows_ui.web.access import member
from workflows_ui.web.paths import text_at
from workflows_ui.web.requests import ConsoleRequest


@require_safe
@member(Role.VIEWER)
def logo(request: ConsoleRequest, slug: str, piece: str) -> HttpResponse:
    """The picture at the address that the engine's catalogue names, if the console may and can fetch it; else nothing (204)."""
    session = engine_session.open_session(request.access)
    row = next((row for row in apps.catalogue_or_none(session) if row["name"] == piece), {})
    if not logos.logo_path(session, row):
        return HttpResponse(status=204)
    try:
        kind, body = logos.load_logo(text_at(row, "logoUrl"))
    except NoImage:
        return HttpResponse(status=204)
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(body, content_type=kind, headers=headers)
