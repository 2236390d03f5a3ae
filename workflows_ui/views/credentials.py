"""Credentials: the workspace's list, one credential's page, and what can be done with it.

No template gets a secret, and no view opens one.
"""

import uuid
from typing import Any

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from workflows_ui.forms.credentials import RenameForm
from workflows_ui.kit import credential_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import UNDER_WAY, Credential, Role
from workflows_ui.services import access, capabilities, credential_use, credentials, swapping
from workflows_ui.services.credentials import Problem
from workflows_ui.tasks import ring_inspection

#: People who are named where it is said whom a credential acts for.
_NAMED = 20


@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The person's own credentials of the workspace and their teams'; a manager sees everybody's names and health."""
    acting = access.acting(request.user, request.access.workspace)
    acts_for = credential_use.acts_for(request.access.workspace)
    rows = [
        {
            "credential": row,
            "people": len(acts_for.get(row.pk, ())),
            "health": credential_words.health(row),
            "acts": acting is not None and row.pk == acting.credential.pk,
            "owner": credential_words.owner(row, request.user),
        }
        for row in credentials.visible(request.access).annotate(launched=credential_use.recent_launches())
    ]
    context = {
        "rows": rows,
        "manages": request.access.allows(Role.MANAGER),
        "acting_words": credential_words.whose(acting) if acting else "",
        "in_runs": acting is not None and credential_words.kept_in_runs(acting.credential),
    }
    return respond.page(request, "credentials/list.html", context)


@member(Role.VIEWER)
def detail(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """What the last test found, where it is used, and what can be done."""
    credential = find(request, credential_id)
    acting = access.acting(request.user, request.access.workspace)
    manageable = credentials.manageable(request.access, credential)
    context = {
        "credential": credential,
        "health": credential_words.health(credential),
        "facts": credential_words.facts(credential),
        "trouble": credential_words.trouble(credential),
        "renewal_trouble": credential_words.renewal_trouble(credential),
        "technical": credential.findings.get("technical", ""),
        "manageable": manageable,
        "acts": acting is not None and acting.credential.pk == credential.pk,
        "acting_words": credential_words.whose(acting) if acting else "",
        "own": credential.owner_id == request.user.pk,
        "owner": credential_words.owner(credential, request.user),
        "in_runs": credential_words.kept_in_runs(credential),
        "aside": swapping.last(credential) if manageable else None,
        "may_hand_over": credentials.teams_for(request.access, credential).exists(),
        **(_use(credential) if manageable else {}),
    }
    return respond.page(request, "credentials/detail.html", context)


@require_POST
@member(Role.VIEWER)
def test(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Tests a stored credential now."""
    credential = find(request, credential_id, to_change=True)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        messages.warning(request, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return respond.redirect(request, address_of(credential))
    result = credentials.retest(credential, actor(request))
    if isinstance(result, Problem):
        messages.error(request, credential_words.of_problem(result).what)
    else:
        ring_inspection(capabilities.ask(credential))
        messages.success(request, _("The credential works."))
    return respond.redirect(request, address_of(credential))


@member(Role.VIEWER)
def rename(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Gives a credential another name."""
    credential = find(request, credential_id, to_change=True)
    form = RenameForm(request.POST or None, initial={"name": credential.name})
    if request.method == "POST" and form.is_valid():
        credentials.rename(actor(request), credential, form.cleaned_data["name"])
        messages.success(request, _("The credential has its new name."))
        return respond.redirect(request, address_of(credential))
    status = 422 if form.errors else 200
    return respond.page(request, "credentials/rename.html", {"form": form, "credential": credential}, status=status)


@member(Role.VIEWER)
def delete(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Asks, then destroys a credential."""
    credential = find(request, credential_id, to_change=True)
    if request.method == "POST":
        credentials.remove(actor(request), credential)
        messages.success(request, _("The credential “%(name)s” is deleted.") % {"name": credential.name})
        return respond.redirect(request, reverse("credentials", kwargs={"slug": slug}))
    open_launches = credential.launches.filter(state__in=UNDER_WAY).count()
    people = credential_use.acts_for(credential.workspace).get(credential.pk, [])
    context = {
        "credential": credential,
        "open_launches": open_launches,
        "people": people[:_NAMED],
        "more_people": max(0, len(people) - _NAMED),
    }
    return respond.page(request, "credentials/delete.html", context)


def _use(credential: Credential) -> dict[str, Any]:
    """Where it is used, for its page: whom it acts for now, and the flows that were launched with it."""
    people = credential_use.acts_for(credential.workspace).get(credential.pk, [])
    return {
        "use": True,
        "people": people[:_NAMED],
        "more_people": max(0, len(people) - _NAMED),
        "flows": credential_use.flows(credential),
    }


def find(request: ConsoleRequest, credential_id: uuid.UUID, *, to_change: bool = False) -> Credential:
    """A credential that the member may see (or change), in this workspace only; anything else is not there. Raises Http404."""
    credential = credentials.visible(request.access).filter(pk=credential_id).first()
    if credential is None or (to_change and not credentials.manageable(request.access, credential)):
        raise Http404
    return credential


def address_of(credential: Credential) -> str:
    """The credential's page."""
    return reverse("credential", kwargs={"slug": credential.workspace.slug, "credential_id": credential.pk})


urlpatterns = [
    path("w/<slug:slug>/credentials/", listing, name="credentials"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/", detail, name="credential"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/test/", test, name="credential_test"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/rename/", rename, name="credential_rename"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/delete/", delete, name="credential_delete"),
]
