"""Rights to launch single flows: a workspace's list, those on one flow with the form that gives one, and withdrawing."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from workflows_ui.forms.launch_rights import LaunchRightForm, LimitsForm
from workflows_ui.kit import caller, flow_facts, launch_right_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import LaunchRight, Role
from workflows_ui.resources import flow_pages
from workflows_ui.services import launch_rights

#: Rights in force that a page shows, newest first.
_HELD = 300
#: Rights that have ended, shown below those in force.
_ENDED = 50
#: Flows that the choice holds; in a larger project the way leads over the flow's page.
_FLOWS = 500


@require_safe
@member(Role.MANAGER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The workspace's rights: those in force, then those that ended."""
    return respond.page(request, "launch_rights/list.html", _rights(request))


@require_safe
@member(Role.MANAGER)
def choose(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The first step of giving a right: which flow. With `?flow=` it leads on to that flow's rights."""
    chosen = request.GET.get("flow", "").strip()
    if chosen and "/" not in chosen and chosen.strip("."):
        return respond.redirect(request, reverse("flow_launch_rights", kwargs={"slug": slug, "id": chosen}))
    rows, _whole = flow_pages.everything(caller.of(request.access))
    found = [flow_facts.read(row, row["version"]) for row in rows if isinstance(row.get("version"), dict)]
    flows = sorted(
        ((facts.id, facts.name) for facts in found if facts.published and facts.id), key=lambda one: one[1].casefold()
    )
    context = {"flows": flows[:_FLOWS], "more": len(flows) > _FLOWS}
    return respond.page(request, "launch_rights/choose.html", context)


@member(Role.MANAGER)
def of_flow(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The rights on one flow, and the form that gives one more."""
    if request.method != "POST":
        return _flow_page(request, id, LaunchRightForm())
    form = LaunchRightForm(request.POST)
    if not form.is_valid():
        return _flow_page(request, id, form)
    data = form.cleaned_data
    right = launch_rights.give(
        actor(request),
        request.access.workspace,
        flow_id=id[:64],
        flow_name=_name(request, id),
        holder=form.holder,
        until=data["until"],
        most_launches=data["most_launches"],
    )
    messages.success(
        request,
        _("%(holder)s may launch “%(flow)s”: %(limits)s.")
        % {"holder": right.holder, "flow": right.flow_name[:80], "limits": launch_right_words.limits(right)},
    )
    return respond.redirect(request, request.path)


@member(Role.MANAGER)
def change(request: ConsoleRequest, slug: str, right_id: int) -> HttpResponse:
    """Another end, another number: a right goes on, or ends sooner."""
    right = _find(request, right_id)
    if right.revoked_at is not None:
        messages.warning(request, _("This right was withdrawn already."))
        return respond.redirect(request, reverse("launch_rights", kwargs={"slug": slug}))
    until = timezone.localtime(right.until) if right.until else None
    form = LimitsForm(request.POST or None, initial={"until": until, "most_launches": right.most_launches})
    form.used = right.used
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if launch_rights.change(actor(request), right, until=data["until"], most_launches=data["most_launches"]):
            right.refresh_from_db()
            told = {"holder": right.holder, "limits": launch_right_words.limits(right)}
            messages.success(request, _("The right of %(holder)s: %(limits)s.") % told)
            return respond.redirect(request, reverse("launch_rights", kwargs={"slug": slug}))
        right.refresh_from_db()
        form.add_error(None, _("Nothing was changed: the right was used or withdrawn meanwhile. Look at it again."))
    context = {"told": launch_right_words.tell(right), "form": form}
    return respond.page(request, "launch_rights/change.html", context, status=422 if form.errors else 200)


@member(Role.MANAGER)
def revoke(request: ConsoleRequest, slug: str, right_id: int) -> HttpResponse:
    """Asks, then withdraws a right."""
    right = _find(request, right_id)
    if request.method != "POST":
        return respond.page(request, "launch_rights/revoke.html", {"told": launch_right_words.tell(right)})
    if launch_rights.revoke(actor(request), right):
        messages.success(request, _("The right is withdrawn from %(holder)s.") % {"holder": right.holder})
    else:
        messages.warning(request, _("This right was withdrawn already."))
    return respond.redirect(request, reverse("launch_rights", kwargs={"slug": slug}))


def _flow_page(request: ConsoleRequest, id: str, form: LaunchRightForm) -> HttpResponse:
    context = _rights(request, id) | {"form": form, "flow_id": id, "name": _name(request, id)}
    return respond.page(request, "launch_rights/flow.html", context, status=422 if form.errors else 200)


def _rights(request: ConsoleRequest, flow_id: str = "") -> dict[str, Any]:
    rows = LaunchRight.objects.filter(workspace=request.access.workspace).select_related(
        "user", "team", "workspace", "created_by"
    )
    if flow_id:
        rows = rows.filter(flow_id=flow_id)
    now = timezone.now()
    usable = rows.usable(now).order_by("-created_at", "-pk")
    ended = rows.exclude(pk__in=LaunchRight.objects.usable(now).values("pk")).order_by("-created_at", "-pk")
    held = list(usable[: _HELD + 1])
    return {
        "held": launch_right_words.tell_all(held[:_HELD]),
        "more_held": len(held) > _HELD,
        "ended": [launch_right_words.tell(right) for right in ended[:_ENDED]],
    }


def _find(request: ConsoleRequest, right_id: int) -> LaunchRight:
    rows = LaunchRight.objects.filter(workspace=request.access.workspace).select_related("user", "team", "workspace")
    right = rows.filter(pk=right_id).first()
    if right is None:
        raise Http404
    return right


def _name(request: ConsoleRequest, id: str) -> str:
    """The flow's name as the engine has it. Raises EngineError: no right is given on a flow that is not there."""
    asking = caller.of(request.access)
    return asking.remember(f"flow-name:{id}", 60, lambda: flow_facts.ask(asking.workflows, id).name)


urlpatterns = [
    path("w/<slug:slug>/launch-rights/", listing, name="launch_rights"),
    path("w/<slug:slug>/launch-rights/give/", choose, name="launch_right_choose"),
    path("w/<slug:slug>/launch-rights/<int:right_id>/change/", change, name="launch_right_change"),
    path("w/<slug:slug>/launch-rights/<int:right_id>/revoke/", revoke, name="launch_right_revoke"),
    path("w/<slug:slug>/flows/<str:id>/launch-rights/", of_flow, name="flow_launch_rights"),
]
