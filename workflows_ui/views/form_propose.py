"""What a flow reads, as fields to take into its launch form: the whole proposal at first, later what the form does not have."""

from django.http import HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache

from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Role
from workflows_ui.views import form_place


@never_cache
@member(Role.BUILDER)
def propose(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Shows the fields that the form does not have, or takes the ticked ones into the draft."""
    return form_place.back(form_place.find(request, id))


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/form/propose/", propose, name="form_propose")]
