"""The offboarding page: all belongings of a leaving person, which can be handed to colleagues or ended.

For administrators, for managers of a workspace, and for the person; each sees what their own rights include.
"""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _, ngettext

from workflows_ui.accounts.models import User
from workflows_ui.audit.requests import actor
from workflows_ui.members.models import Member, Role
from workflows_ui.members.services import access
from workflows_ui.offboarding import handover, page as offboarding_page
from workflows_ui.offboarding.belongings import Reach, Scope
from workflows_ui.offboarding.page import OffboardingPage
from workflows_ui.web import responses
from workflows_ui.web.access import closed, member, signed_in, superuser
from workflows_ui.web.requests import ConsoleRequest


@superuser
def person_belongings(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """Show all belongings of a person to an administrator."""
    return _handle(request, Reach(request.user, get_object_or_404(User, pk=person_id), Scope.CONSOLE))


@member(Role.MANAGER)
def member_belongings(request: ConsoleRequest, slug: str, person_id: int) -> HttpResponse:
    """Show the belongings of a member in the workspaces that the manager manages."""
    reach = _reach(request, get_object_or_404(User, pk=person_id), Scope.MANAGER)
    space = request.access.workspace
    if not access.workspaces(reach.person).filter(pk=space.pk).exists():
        items = OffboardingPage(reach).items
        if not any(item.workspace == space for item in items):
            raise Http404
    return _handle(request, reach)


@signed_in
def own_belongings(request: ConsoleRequest) -> HttpResponse:
    return _handle(request, _reach(request, User.objects.get(pk=request.user.pk), Scope.OWN))


def _handle(request: ConsoleRequest, reach: Reach) -> HttpResponse:
    """Show the choices, then the confirmation; `sure` carries them out, `back` returns to the choices."""
    if request.method != "POST":
        return _page(request, OffboardingPage(reach))
    chosen = offboarding_page.posted(request.POST)
    page = OffboardingPage(reach, chosen)
    if "back" in request.POST:
        return _page(request, page)
    plan = page.plan()
    if "sure" in request.POST and not plan.problems and (plan.steps or plan.gone):
        try:
            done = handover.carry_out(actor(request), reach, plan.choices)
        except handover.Refused as problem:
            return _page(request, OffboardingPage(reach, chosen, problem.problems), status=422)
        _add_messages(request, done, [*plan.gone, *done.gone])
        return responses.redirect(request, request.path)
    if plan.problems or not plan.steps:
        page = OffboardingPage(reach, chosen, plan.problems)
        return _page(request, page, status=422, gone=plan.gone, nothing=not plan.problems)
    context = {
        "person": reach.person,
        "reach": reach,
        "actions": offboarding_page.planned_actions(plan.steps),
        "count": len(plan.steps),
        "ended": plan.ended,
        "gone": offboarding_page.gone_summary(plan.gone),
        "plan": json.dumps(plan.choices),
    }
    return responses.page(request, "offboarding/question.html", context)


def _page(
    request: ConsoleRequest,
    page: OffboardingPage,
    *,
    status: int = 200,
    gone: list[str] | None = None,
    nothing: bool = False,
) -> HttpResponse:
    reach = page.reach
    remove = ""
    if reach.scope is Scope.MANAGER:
        row = Member.objects.filter(workspace=request.access.workspace, user=reach.person).first()
        remove = reverse("member_remove", args=[request.access.workspace.slug, row.pk]) if row else ""
    context = {
        "page": page,
        "person": reach.person,
        "reach": reach,
        "own": reach.scope is Scope.OWN,
        "administers": reach.scope is Scope.CONSOLE,
        "remove": remove,
        "gone": offboarding_page.gone_summary(gone or []),
        "nothing": nothing,
        "refused": status != 200 and not nothing,
    }
    return responses.page(request, "offboarding/offboarding.html", context, status=status)


def _add_messages(request: ConsoleRequest, done: handover.Plan, gone: list[str]) -> None:
    ended, handed_over = done.ended, len(done.steps) - done.ended
    parts = []
    if handed_over:
        parts.append(ngettext("%(n)s handed over.", "%(n)s handed over.", handed_over) % {"n": handed_over})
    if ended:
        parts.append(ngettext("%(n)s ended.", "%(n)s ended.", ended) % {"n": ended})
    if parts:
        messages.success(request, " ".join(parts))
    if gone:
        messages.warning(
            request,
            _("Not changed, because it is gone or belongs to someone else now: %(what)s.")
            % {"what": offboarding_page.gone_summary(gone)},
        )


def _reach(request: ConsoleRequest, person: User, scope: Scope) -> Reach:
    viewer = User.objects.get(pk=request.user.pk)
    return Reach(viewer, person, scope, frozenset(closed(request, viewer, access.workspaces(viewer))))
