"""Saved inputs of a flow: renamed, shared or taken back, deleted. They are made, and used, on the launch form."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _

from workflows_ui.forms.saved_inputs import SavedInputsForm
from workflows_ui.kit import respond
from workflows_ui.kit.access import launching
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import SavedInputs
from workflows_ui.services import saved_inputs


@launching
def saved(request: ConsoleRequest, slug: str, id: str, inputs: str) -> HttpResponse:
    """Shows the form, or takes it; with `delete` among what was sent they are deleted. Another's are not there."""
    row = _find(request, id, inputs)
    back = reverse("flow_launch", args=[slug, id])
    if request.method == "POST" and "delete" in request.POST:
        name = row.name
        saved_inputs.delete(actor(request), row)
        messages.success(request, _("The saved inputs “%(name)s” are deleted.") % {"name": name})
        return respond.redirect(request, back)
    form = SavedInputsForm(request.POST or None, initial={"name": row.name, "shared": row.shared})
    if request.method == "POST" and form.is_valid():
        try:
            saved_inputs.rename(actor(request), row, form.cleaned_data["name"], shared=form.cleaned_data["shared"])
        except saved_inputs.NameTaken:
            form.add_error("name", _("There are inputs of this name already. Take another name."))
        else:
            messages.success(request, _("Saved."))
            return respond.redirect(request, back)
    status = 422 if request.method == "POST" else 200
    context = {"row": row, "form": form, "flow_id": id, "back": back}
    return respond.page(request, "launches/saved_inputs.html", context, status=status)


def _find(request: ConsoleRequest, id: str, inputs: str) -> SavedInputs:
    row = get_object_or_404(saved_inputs.of_flow(request.access, id), pk=inputs)
    if not saved_inputs.may_change(request.access, row):
        raise Http404
    row.workspace = request.access.workspace
    return row


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/inputs/<str:inputs>/", saved, name="saved_inputs")]
