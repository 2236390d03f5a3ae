"""The review before launching, where the form's builder wants it: what will happen, with which values, files and credential.

With htmx the form stays in the page, hidden, so that secrets and chosen files are kept; they are never sent back. The button of the review
sends the form together with a digest of what was shown: other values are shown again first.
"""

from django.http import HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from workflows_ui.core import formats, redaction
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.forms.posted import PostedForm
from workflows_ui.launch_forms.views.form_page import LaunchFormPage
from workflows_ui.launches import inputs as launch_inputs
from workflows_ui.launches.services import files as launch_files
from workflows_ui.web import responses

FRAGMENT = "launch-review"


def confirmed(page: LaunchFormPage, form: PostedForm) -> bool:
    """Whether these values were shown, and are launched as they were shown."""
    return constant_time_compare(page.request.POST.get("_reviewed", ""), _digest(page, form))


def render(page: LaunchFormPage, form: PostedForm) -> HttpResponse:
    """Show the values for review. Without htmx, secrets and files have to be given again below it."""
    payload = redaction.step(page.hide(form.checked.payload))
    in_place = responses.is_fragment(page.request)
    acting = page.chosen_credential or page.acting
    review = {
        "digest": _digest(page, form),
        "sentences": form_messages.effects(page.builder_form, payload),
        "values": launch_inputs.readable_values(page.builder_form, payload),
        "files": [(file.filename, len(file.data)) for file in form.files],
        "credential": credential_messages.acting_label(acting) if acting else "",
        "keep_until": formats.minute(until) if (until := page.keep_form.keep_until) else "",
        "in_place": in_place or not (form.files or posted.typed_secrets(page.form, form.checked.data)),
    }
    response = page.render_posted(form.checked.data, status=200, review=review)
    if in_place:
        response["HX-Retarget"] = response["HX-Reselect"] = f"#{FRAGMENT}"
        response["HX-Reswap"] = "outerHTML show:window:top"
    return response


def _digest(page: LaunchFormPage, form: PostedForm) -> str:
    """A keyed digest of everything that the review shows, and of the person it is shown to."""
    request = page.request
    parts = [
        launch_files.digest(page.flow_id, form.checked.payload, form.files),
        request.POST.get("_how", ""),
        request.POST.get("_credential", ""),
        str(page.keep_form.keep_until or ""),
        page.version.pk if page.version else "",
        request.access.workspace.pk,
        request.access.user.pk,
    ]
    return salted_hmac("workflows_ui.launch.review", repr(parts), algorithm="sha256").hexdigest()
