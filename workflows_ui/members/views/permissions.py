"""What a person may do in a workspace, for its managers and the person."""

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members import messages as member_messages
from workflows_ui.members.models import LaunchRight, Member, Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: Maximum number of forms on the page.
_FORMS = 50


@require_safe
@member(Role.VIEWER, guests=True)
def permissions(request: ConsoleRequest, slug: str, person_id: int) -> HttpResponse:
    """Show the person's role and its origin, launch rights, credentials, forms and second step in the workspace.

    404 for a person who has none of these there, 403 for others than the person and managers.
    """
    own, workspace = person_id == request.user.pk, request.access.workspace
    if not own:
        request.access.require(Role.MANAGER)
    person = get_object_or_404(User, pk=person_id)
    memberships = list(Member.objects.filter(access.held_by(person), workspace=workspace).select_related("team"))
    memberships.sort(key=lambda row: (-Role(row.role).rank, row.team is not None, sort_key(str(row.team or ""))))
    rights = LaunchRight.objects.usable(timezone.now()).filter(access.held_by(person), workspace=workspace)
    listed_rights = list(rights.select_related("user", "team", "workspace").order_by("flow_name", "pk"))
    credentials = _credentials(person, workspace)
    if not (own or memberships or listed_rights or credentials):
        raise Http404
    role = Role(memberships[0].role) if memberships else None
    launches = role is not None and role.includes(Role.LAUNCHER)
    forms = launch_forms.all_published(workspace)
    if not launches:
        forms = forms.filter(flow_id__in={right.flow_id for right in listed_rights})
    shown = list(forms[: _FORMS + 1])
    context = {
        "person": person,
        "own": own,
        "manages": request.access.allows(Role.MANAGER),
        "role": role,
        "sources": [(Role(row.role).label, row.team) for row in memberships],
        "launches": launches,
        "builds": role is not None and role.includes(Role.BUILDER),
        "rights": [member_messages.describe_right(right) for right in listed_rights],
        "credentials": credentials,
        "forms": shown[:_FORMS],
        "more_forms": len(shown) > _FORMS,
        "second_step": second_step.has(person),
    }
    return responses.page(request, "members/permissions.html", context)


def _credentials(person: User, workspace: Workspace) -> list[dict[str, Any]]:
    """Return the credentials that the person can use, the one that is used first: their names, and whose they are."""
    through = sharing.genuine(credential__workspace=workspace, team__in=person.groups.all())
    teams: dict[Any, list[str]] = {}
    for share in through:
        teams.setdefault(share.credential_id, []).append(share.team.name)
    rows = Credential.objects.filter(Q(owner=person) | Q(pk__in=teams), workspace=workspace).select_related("owner")
    acting = access.acting(person, workspace) if person.is_active else None
    used = acting.credential.pk if acting else None
    listed = sorted(rows, key=lambda row: (row.pk != used, sort_key(row.name)))
    return [
        {
            "name": row.name,
            "used": row.pk == used,
            "source": _("their own")
            if row.owner_id == person.pk
            else _("shared with %(teams)s") % {"teams": ", ".join(teams[row.pk])[:120]},
        }
        for row in listed
    ]
