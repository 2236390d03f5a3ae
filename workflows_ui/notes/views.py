"""Notes on an object: all of them with the form for another one, and one note to change or delete."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods

from workflows_ui.accounts.models import User
from workflows_ui.audit.requests import actor
from workflows_ui.core import formats
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine_objects.runs import Run
from workflows_ui.failures import services as failures
from workflows_ui.flows import owners, reading as flow_reading
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import access_for
from workflows_ui.notes import services
from workflows_ui.notes.forms import AskForm, NoteForm
from workflows_ui.notes.models import Note, Subject
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import reading as run_reading
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.links import object_url
from workflows_ui.web.requests import ConsoleRequest

NOTES = "notes"
_TOO_MANY = gettext_lazy("There are %(n)d notes here already. Delete some first.")
#: The most digits of the number of a failure.
_DIGITS = 19


@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.VIEWER, guests=True)
def notes(request: ConsoleRequest, slug: str, subject: str, id: str) -> HttpResponse:
    """All notes on an object, and the form for another one, which the object's page contains as the fragment `notes`."""
    name, _flow_id = _require_object(request, subject, id)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = services.add(actor(request), request.access, subject, id, name, form.cleaned_data["text"])
            people = services.mentioned(request.access.workspace, form.cleaned_data["text"])
            services.notify(_readers(request, subject, id, people), row, name, _object_page(slug, subject, id))
        except services.TooManyNotes:
            form.add_error(None, _TOO_MANY % {"n": services.MOST})
        else:
            if not responses.is_fragment(request):
                messages.success(request, _("The note is saved."))
                return responses.redirect(request, _object_page(slug, subject, id))
            form = NoteForm()
    most = services.SHOWN if responses.is_fragment(request) else services.MOST
    entries, more = services.entries(request.access, subject, id, most)
    context = {
        "form": form,
        "entries": entries,
        "more": more,
        "url": request.path,
        "back": _object_page(slug, subject, id),
    }
    # A rejected fragment is shown too: 200, since htmx does not insert errors.
    status = 422 if form.errors and not responses.is_fragment(request) else 200
    return responses.page(request, "notes/notes.html", context, fragments=(NOTES,), status=status)


@member(Role.VIEWER, guests=True)
def ask(request: ConsoleRequest, slug: str, subject: str, id: str) -> HttpResponse:
    """Ask for help with a launch, run or flow: add a note to it, and notify the flow's owner, else the builders of the workspace.

    GET redirects to the object.
    """
    if subject == Subject.FAILURE:
        raise Http404
    name, flow_id = _require_object(request, subject, id)
    back = _object_page(slug, subject, id)
    if request.method != "POST":
        return responses.redirect(request, back)
    form = AskForm(request.POST)
    if not form.is_valid():
        messages.warning(request, " ".join(map(str, form.errors["text"])))
        return responses.redirect(request, back)
    text = form.cleaned_data["text"] or _("Please help with this.")
    people = [person for person in owners.helpers_for(request.access, flow_id) if person.pk != request.user.pk]
    if not people:
        messages.warning(request, _("There is no one else to ask: you are the only one who builds flows here."))
        return responses.redirect(request, back)
    try:
        row = services.ask(actor(request), request.access, subject, id, name, text)
    except services.TooManyNotes:
        messages.warning(request, _TOO_MANY % {"n": services.MOST})
        return responses.redirect(request, back)
    if row is not None:
        services.notify(people, row, name, back, asks=True)
    # A guest learns no names.
    names = "" if request.access.guest else formats.cut(", ".join(person.label for person in people), 200)
    messages.success(
        request, _("Notified: %(names)s.") % {"names": names} if names else _("The flow's owner is notified.")
    )
    return responses.redirect(request, back)


@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.VIEWER, guests=True)
def note(request: ConsoleRequest, slug: str, note: str) -> HttpResponse:
    """One note to change (its author), or to delete (managers too). Raises Http404 for everyone else."""
    row = get_object_or_404(
        Note.objects.select_related("author", "workspace"), workspace=request.access.workspace, pk=note
    )
    found = services.entry(request.access, row)
    if not found.deletes:
        raise Http404
    if row.subject == Subject.FAILURE:
        _require_failure(request, row.object_id)
    back = _object_page(slug, row.subject, row.object_id)
    if request.method == "POST" and "delete" in request.POST:
        services.delete(actor(request), row)
        messages.success(request, _("The note is deleted."))
        return responses.redirect(request, back)
    form = NoteForm(request.POST or None, initial={"text": found.text or ""})
    if request.method == "POST" and found.changes and form.is_valid():
        services.change(actor(request), row, form.cleaned_data["text"])
        messages.success(request, _("The note is saved."))
        return responses.redirect(request, back)
    return responses.form_page(request, "notes/note.html", form, {"entry": found, "back": back})


def _require_object(request: ConsoleRequest, subject: str, id: str) -> tuple[str, str]:
    """Look the object up as its own page does, and return its name and the id of its flow, "" for a failure.

    Raises Http404, EngineError, NotAllowed.
    """
    if subject == Subject.LAUNCH:
        launch = get_object_or_404(launches.visible_launches(request.access), pk=id)
        return launch.flow_name or launch.flow_id, launch.flow_id
    if subject == Subject.FAILURE:
        _require_failure(request, id)
        return failures.title(request.access.workspace, int(id)), ""
    if not request.access.sees(subject):
        raise Http404
    request.access.require(Role.VIEWER)
    session = engine_session.open_session(request.access)
    if subject == Subject.FLOW:
        return flow_reading.name_of(session.workflows.get_flow(id)), id
    if subject == Subject.RUN:
        run = Run(session.workflows.get_run(id))
        return run_reading.name_of(run), run.flow_id
    raise Http404


def _readers(request: ConsoleRequest, subject: str, id: str, people: Iterable[User]) -> list[User]:
    """Those of these members of the workspace who may open the object of a note that was looked up."""
    found = []
    for person in people:
        access = access_for(person, request.access.workspace.slug)
        if subject == Subject.LAUNCH:
            readable = launches.visible_launches(access).filter(pk=id).exists()
        else:
            page = "failures" if subject == Subject.FAILURE else subject
            readable = access.sees(page) and (subject != Subject.FAILURE or indexes.for_access(access) is not None)
        if readable:
            found.append(person)
    return found


def _require_failure(request: ConsoleRequest, id: str) -> None:
    """Who may see the run index sees its failures. Raises Http404, NotAllowed."""
    if not request.access.sees("failures"):
        raise Http404
    request.access.require(Role.VIEWER)
    if indexes.for_access(request.access) is None or not id.isdecimal() or len(id) > _DIGITS:
        raise Http404
    if not failures.exists(request.access.workspace, int(id)):
        raise Http404


def _object_page(slug: str, subject: str, id: str) -> str:
    if subject == Subject.LAUNCH:
        return reverse("launch", args=[slug, id])
    if subject == Subject.FAILURE:
        return reverse("failure", args=[slug, id])
    return object_url("resource_detail", id, slug=slug, resource=subject)
