"""The page of the run index, for managers: starting, watching and ending it, and erasing a run."""

from django.contrib import messages
from django.contrib.auth.models import Group
from django.forms import model_to_dict
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from workflows_ui.audit.requests import actor
from workflows_ui.core import broker
from workflows_ui.credentials.messages import picker_labels
from workflows_ui.members.models import Role
from workflows_ui.members.services import teams
from workflows_ui.run_index import tasks
from workflows_ui.run_index.forms import EraseForm, FirstForm, IndexForm, first_form, new_team_name
from workflows_ui.run_index.messages import Status
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import first_start, indexes, parts
from workflows_ui.web import responses
from workflows_ui.web.access import member, people_for_new_team
from workflows_ui.web.requests import ConsoleRequest, is_sure

LIVE = "run-index-live"
#: The most people of a team who are named.
NAMED = 30


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.MANAGER)
def run_index(request: ConsoleRequest, slug: str) -> HttpResponse:
    """GET: the state of the index, or an explanation of one. The browser polls the live part. POST: start the index or change it."""
    workspace = request.access.workspace
    index = indexes.index_of(workspace)
    if responses.requested_fragment(request) == LIVE and request.method != "POST":
        return _live(request, index)
    choices = indexes.choices(workspace)
    first = None if choices else _first_form(request)
    if request.method == "POST" and first is not None and first.is_valid():
        return _share(request, first)
    initial = model_to_dict(index or RunIndex(), ("credential", *indexes.SETTINGS))
    initial["days_off"] = "\n".join(initial["days_off"])
    labels = dict(picker_labels(choices))
    data = request.POST or None
    form = IndexForm(data, choices=choices, labels=labels, has_parts=parts.available(), initial=initial)
    if request.method == "POST" and form.is_valid():
        indexes.start(actor(request), workspace, **form.cleaned_data)
        broker.enqueue(tasks.trim, workspace.pk)
        broker.enqueue(tasks.read, workspace.pk)
        if index is None or index.moves != workspace.moves:
            messages.success(request, _("The run index is started."))
        else:
            messages.success(request, _("The run index is changed."))
        return responses.redirect_to_view(request, "run_index", slug)
    context: dict[str, object] = {"shared": bool(choices), "form": form, "first": first}
    if not choices and first is None:
        context |= {
            "has_credential": bool(first_start.own_credentials(request.access)),
            "has_team": teams.teams_within([workspace]).exists(),
            "any_team": Group.objects.exists(),
        }
    if index is None:
        return responses.form_page(request, "run_index/start.html", first or form, context)
    credential = index.credential
    context |= {
        "index": index,
        "status": Status(index, workspace),
        "teams": [team.name for team in choices.get(credential, ())] if credential else [],
        "unshared": credential is not None and credential not in choices,
        "slug": slug,
    }
    return responses.form_page(request, "run_index/index.html", form, context)


def _first_form(request: ConsoleRequest) -> FirstForm | None:
    data = request.POST if request.method == "POST" else None
    return first_form(request.access, people_for_new_team(request, request.user), data)


def _share(request: ConsoleRequest, form: FirstForm) -> HttpResponse:
    """Ask whether to share this credential with these people; with the answer, share it and start the index."""
    credential, team = form.cleaned_data["credential"], form.cleaned_data["team"]
    others = form.cleaned_data.get("people", []) if team is None else []
    new_team = new_team_name(request.access.workspace)
    if request.POST.get("confirmed") == "yes":
        try:
            first_start.share_and_start(
                actor(request), request.access, credential, team, new_team=new_team, people=others, **form.settings
            )
        except teams.NameTaken:
            form.add_error("team", _("There is a team with this name. Add it to the workspace, then choose it here."))
        else:
            broker.enqueue(tasks.read, request.access.workspace.pk)
            messages.success(request, _("The credential is shared, and the run index is started."))
            return responses.redirect_to_view(request, "run_index", request.access.workspace.slug)
    people = first_start.people_of(team) if team else [request.user, *others]
    context = {
        "form": form,
        "credential": credential,
        "team": team.name if team else new_team,
        "is_new": team is None,
        "others": others,
        "people": people[:NAMED],
        "more": max(0, len(people) - NAMED),
    }
    return responses.form_page(request, "run_index/share.html", form, context)


def _live(request: ConsoleRequest, index: RunIndex | None) -> HttpResponse:
    """The part of the page that changes; 204 if the browser shows it already. The whole page once the index was ended elsewhere."""
    if index is None:
        return responses.redirect_to_view(request, "run_index", request.access.workspace.slug)
    status = Status(index, request.access.workspace)
    if request.GET.get("seen") == status.version:
        return responses.vary(HttpResponse(status=204))
    context = {"index": index, "status": status}
    return responses.page(request, "run_index/index.html", context, fragments=(LIVE,))


@require_POST
@member(Role.MANAGER)
def read(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Read new runs without waiting for the next turn."""
    indexes.read_soon(request.access.workspace)
    broker.enqueue(tasks.read, request.access.workspace.pk)
    messages.success(request, _("The runs are being read."))
    return responses.redirect_to_view(request, "run_index", slug)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.MANAGER)
def stop(request: ConsoleRequest, slug: str) -> HttpResponse:
    """GET: the consequences. POST: end the index; a worker deletes its runs."""
    index = indexes.index_of(request.access.workspace)
    if not is_sure(request) and index is not None:
        context = {"index": index, "status": Status(index, request.access.workspace)}
        return responses.page(request, "run_index/stop.html", context)
    if is_sure(request) and indexes.stop(actor(request), request.access.workspace):
        broker.enqueue(tasks.purge)
        messages.success(
            request, _("The run index is ended. Its runs are being deleted here; the engine keeps its own.")
        )
    else:
        messages.info(request, _("There is no run index."))
    return responses.redirect_to_view(request, "run_index", slug)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.MANAGER)
def erase(request: ConsoleRequest, slug: str) -> HttpResponse:
    """GET: the form (`?run=` fills it in), with the consequences. POST: erase the run."""
    form = EraseForm(request.POST or None, initial={"run_id": request.GET.get("run", "")})
    if request.method == "POST" and form.is_valid():
        if indexes.erase(actor(request), request.access.workspace, form.cleaned_data["run_id"]):
            messages.success(request, _("The run is erased from the run index."))
            return responses.redirect_to_view(request, "run_index", slug)
        form.add_error("run_id", _("The run index has no run with this ID. Copy the ID from the run's page."))
    return responses.form_page(request, "run_index/erase.html", form)
