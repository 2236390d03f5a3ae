"""Renaming, sharing and deleting saved inputs of a flow. They are created and used on the launch form."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from workflows_ui.audit.requests import actor
from workflows_ui.launch_forms.forms.saved_inputs import SavedInputsForm
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.web import responses
from workflows_ui.web.access import launching
from workflows_ui.web.requests import ConsoleRequest


@launching
def saved(request: ConsoleRequest, slug: str, id: str, inputs: str) -> HttpResponse:
    """Display or process the form; delete the inputs if `delete` is posted. Raises Http404 for those that the person may not change."""
    row = get_object_or_404(saved_inputs.usable_inputs(request.access, id), pk=inputs)
    if not saved_inputs.may_change(request.access, row):
        raise Http404
    back = reverse("flow_launch", args=[slug, id])
    if request.method == "POST" and "delete" in request.POST:
        saved_inputs.delete(actor(request), row)
        messages.success(request, _("The saved inputs “%(name)s” are deleted.") % {"name": row.name})
        return responses.redirect(request, back)
    form = SavedInputsForm(request.POST or None, initial={"name": row.name, "shared": row.shared})
    if request.method == "POST" and form.is_valid():
        try:
            saved_inputs.rename(actor(request), row, form.cleaned_data["name"], shared=form.cleaned_data["shared"])
        except saved_inputs.NameTaken:
            form.add_error("name", _("There are inputs of this name already. Choose another name."))
        else:
            messages.success(request, _("Saved."))
            return responses.redirect(request, back)
    return responses.form_page(request, "launch_forms/saved_inputs.html", form, {"row": row, "back": back})
