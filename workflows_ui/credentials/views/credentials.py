"""Credentials: the workspace's list, a credential's page and its actions.

No template gets a secret, and no view opens one.
"""

import uuid
from typing import Any

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials import tasks
from workflows_ui.credentials.forms.credentials import RenameForm
from workflows_ui.credentials.models import KEPT_IN_RUNS, Credential
from workflows_ui.credentials.services import capabilities, clients, credentials, secret_rotation, sharing
from workflows_ui.credentials.services import usage as credential_usage
from workflows_ui.credentials.services.credential_tests import Problem
from workflows_ui.launches.models import OPEN
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor

#: The most people that are listed as users of a credential.
_NAMED = 20


@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The person's and their teams' credentials of the workspace; for a manager, all."""
    acting = access.acting(request.user, request.access.workspace)
    acts_for = credential_usage.acts_for(request.access.workspace)
    visible = list(credentials.visible(request.access).annotate(launched=credential_usage.recent_launches()))
    teams = sharing.teams_of(visible)
    rows = [
        {
            "credential": row,
            "people": len(acts_for.get(row.pk, ())),
            "health": credential_messages.health(row),
            "acts": acting is not None and row.pk == acting.credential.pk,
            "owner": credential_messages.owner(row, request.user),
            "teams": teams.get(row.pk, []),
        }
        for row in visible
    ]
    context = {
        "rows": rows,
        "manages": request.access.allows(Role.MANAGER),
        "acting_words": credential_messages.acting_label(acting) if acting else "",
        "in_runs": acting is not None and acting.credential.kind in KEPT_IN_RUNS,
    }
    return responses.page(request, "credentials/list.html", context)


@member(Role.VIEWER)
def detail(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """The findings of the last test, the use of the credential and its actions."""
    credential = find(request, credential_id)
    acting = access.acting(request.user, request.access.workspace)
    manageable, problem = credentials.manageable(request.access, credential), credential.renew_problem
    acts, closed = acting is not None and acting.credential.pk == credential.pk, clients.refusal(credential) is not None
    context = {
        "credential": credential,
        "health": credential_messages.health(credential),
        "facts": credential_messages.facts(credential),
        "trouble": credential_messages.trouble(credential),
        "closed": closed,
        "genuine": credential.workspace.genuine,
        "manages": request.access.allows(Role.MANAGER),
        "renewal_trouble": problem and credential_messages.code_message(problem),
        "technical": credential.findings.get("technical", ""),
        "manageable": manageable,
        "acts": acts,
        "acting_words": credential_messages.acting_label(acting) if acting and not (acts and closed) else "",
        "own": credential.owner_id == request.user.pk,
        "owner": credential_messages.owner(credential, request.user),
        "in_runs": credential.kind in KEPT_IN_RUNS,
        "aside": secret_rotation.last(credential) if manageable else None,
        "teams": sharing.teams(credential),
        "use": manageable,
        **(_people(credential) if manageable else {}),
        "flows": credential_usage.flows(credential) if manageable else [],
    }
    return responses.page(request, "credentials/detail.html", context)


@require_POST
@member(Role.VIEWER)
def test(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    credential = find(request, credential_id, to_change=True)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        messages.warning(request, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return responses.redirect(request, address_of(credential))
    result = credentials.retest(credential, actor(request))
    if isinstance(result, Problem):
        messages.error(request, str(credential_messages.problem_message(result).what))
    else:
        tasks.enqueue_inspection(capabilities.request_inspection(credential))
        messages.success(request, _("The credential works."))
    return responses.redirect(request, address_of(credential))


@member(Role.VIEWER)
def rename(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    credential = find(request, credential_id, to_change=True)
    form = RenameForm(request.POST or None, initial={"name": credential.name})
    if request.method == "POST" and form.is_valid():
        credentials.rename(actor(request), credential, form.cleaned_data["name"])
        messages.success(request, _("The credential is renamed."))
        return responses.redirect(request, address_of(credential))
    return responses.form_page(request, "credentials/rename.html", form, {"credential": credential})


@member(Role.VIEWER)
def delete(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    credential = find(request, credential_id, to_change=True)
    if request.method == "POST":
        credentials.remove(actor(request), credential)
        messages.success(request, _("The credential “%(name)s” is deleted.") % {"name": credential.name})
        return responses.redirect(request, "credentials", slug)
    open_launches = credential.launches.filter(OPEN).count()
    context = {"credential": credential, "open_launches": open_launches, **_people(credential)}
    return responses.page(request, "credentials/delete.html", context)


def _people(credential: Credential) -> dict[str, Any]:
    """The people for whom a credential acts."""
    people = credential_usage.acts_for(credential.workspace).get(credential.pk, [])
    return {"people": people[:_NAMED], "more_people": max(0, len(people) - _NAMED)}


def find(request: ConsoleRequest, credential_id: uuid.UUID, *, to_change: bool = False) -> Credential:
    """A credential of this workspace that the member may see (or change). Raises Http404."""
    credential = credentials.visible(request.access).filter(pk=credential_id).first()
    if credential is None or (to_change and not credentials.manageable(request.access, credential)):
        raise Http404
    return credential


def address_of(credential: Credential) -> str:
    return reverse("credential", kwargs={"slug": credential.workspace.slug, "credential_id": credential.pk})
