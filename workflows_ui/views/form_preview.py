"""A launch form as a launcher would see it. Nothing can be sent from here."""

from django.http import HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.kit import markdown, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Role
from workflows_ui.views import form_place


@never_cache
@require_safe
@member(Role.BUILDER)
def preview(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The draft, else what is published."""
    place = form_place.find(request, id, wanted=True)
    note = markdown.html(place.form.note) if place.form else ""
    return respond.page(request, "form_builder/preview.html", place.context(note=note))


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/form/preview/", preview, name="form_preview")]
