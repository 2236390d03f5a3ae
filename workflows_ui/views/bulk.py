"""From a list to a bulk action: what was ticked, or everything that matches, becomes a job. Its page asks before anything is done."""

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.translation import gettext as _

from workflows_ui import tasks
from workflows_ui.kit import ability, bulk_choice, caller, respond, views
from workflows_ui.kit.access import member
from workflows_ui.kit.listing import Listing, offer
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import JobState, Role
from workflows_ui.resources import BY_NAME
from workflows_ui.services import jobs


@member(Role.VIEWER)
def choose(request: ConsoleRequest, slug: str, resource: str, action: str) -> HttpResponse:
    """POST: makes the job and leads to it. Read by GET (after signing in again, say) it leads to the list."""
    kind = views.declared(request.access, resource, BY_NAME)
    chosen = next((one for one in kind.actions if one.name == action and one.bulk and not one.collection), None)
    if chosen is None:
        raise Http404
    request.access.require(chosen.role)
    query = request.POST.get("next", "").partition("?")[2]
    listing = Listing(kind, kind.url(slug), QueryDict(query))
    back = f"{kind.url(slug)}?{query}" if query else kind.url(slug)
    if request.method != "POST":
        return respond.redirect(request, kind.url(slug))
    lacking = ability.lacking(kind, request.access.workspace)
    if chosen.needs in lacking or kind.needs in lacking:
        messages.warning(request, lacking.get(chosen.needs) or lacking[kind.needs])
        return respond.redirect(request, back)
    everything = request.POST.get(bulk_choice.EVERYTHING) == "1"
    ids = bulk_choice.ticked(request.POST.getlist(bulk_choice.ID))
    if not listing.valid:
        messages.warning(request, _("These filters cannot be used. Nothing was done."))
        return respond.redirect(request, back)
    if not everything and not ids:
        messages.warning(request, _("Tick the rows first, then choose what to do with them."))
        return respond.redirect(request, back)
    asking = caller.of(request.access)
    offer(listing.form, kind.choices(asking))
    job = jobs.ask(
        actor(request),
        request.access,
        resource=kind.name,
        action=chosen.name,
        found=() if everything else bulk_choice.found(asking, kind, chosen, listing, ids),
        everything=everything,
        look=chosen.affected is not None,
        filters=listing.filters_query,
        filters_told=[(str(chip.label), chip.value) for chip in listing.chips()] if everything else (),
    )
    if job.state == JobState.COLLECTING:
        tasks.ring_job(job.pk)
    return respond.redirect(request, reverse("job", args=[slug, job.pk]))


urlpatterns = [path("w/<slug:slug>/<slug:resource>/many/<slug:action>/", choose, name="bulk_choose")]
