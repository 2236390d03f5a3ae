"""Credentials: the workspace's list, a credential's page and its actions; the capabilities of a workspace's engine.

No template gets a secret, and no view opens one.
"""

import uuid

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.audit import messages as audit_messages
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import messages as credential_messages, tables, tasks
from workflows_ui.credentials.forms import RenameForm, ReplaceForm, ShareForm
from workflows_ui.credentials.models import (
    KEPT_IN_RUNS,
    Ability,
    Capability,
    Credential,
    CredentialSecret,
    CredentialShare,
    Inspection,
)
from workflows_ui.credentials.services import (
    capabilities,
    clients,
    credential_tests,
    credentials,
    secret_rotation,
    sharing,
    signing_in,
    usage as credential_usage,
)
from workflows_ui.credentials.services.clients import NoCredential
from workflows_ui.credentials.services.credential_tests import Problem
from workflows_ui.launches.models import OPEN
from workflows_ui.lists import list_page, local_lists
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.resource_admin import capabilities as missing_capabilities
from workflows_ui.run_index.services import credential_uses
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.elements import Button, arranged
from workflows_ui.web.messages import error_message
from workflows_ui.web.requests import ConsoleRequest, is_sure


@require_safe
@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The person's and their teams' credentials of the workspace; for a manager, all."""
    kind, acting = tables.Credentials(), access.acting(request.user, request.access.workspace)
    current = list_page.requested(request, kind)
    return list_page.respond(
        request,
        current,
        kind.page(_lines(request, acting), current),
        above_template="credentials/above.html",
        first=Button(_("Add a credential"), "plus", reverse("credential_add", query={"workspace": slug}), primary=True),
        manages=request.access.allows(Role.MANAGER),
        acting_words=credential_messages.acting_label(acting) if acting else "",
        in_runs=acting is not None and acting.credential.kind in KEPT_IN_RUNS,
    )


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """The list of credentials, which has no secrets, as a file. Audited."""
    lines = _lines(request, access.acting(request.user, request.access.workspace))
    return local_lists.file(request, tables.Credentials(), lines, kind)


def _lines(request: ConsoleRequest, acting: access.Acting | None) -> list[tables.CredentialLine]:
    """The person's and their teams' credentials, by name."""
    acts_for = credential_usage.acts_for(request.access.workspace)
    visible = list(credentials.visible(request.access).annotate(launched=credential_usage.recent_launches()))
    teams = sharing.teams_of(visible)
    return [
        tables.CredentialLine(
            row,
            credential_messages.health(row),
            credential_messages.owner(row, request.user),
            ", ".join(team.name for team in teams.get(row.pk, [])),
            people=len(acts_for.get(row.pk, ())),
            launches=row.launched,
            acts=acting is not None and row.pk == acting.credential.pk,
        )
        for row in visible
    ]


@require_safe
@member(Role.VIEWER)
def detail(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """The findings of the last test, the use of the credential and its actions."""
    credential = find_credential(request, credential_id)
    acting = access.acting(request.user, request.access.workspace)
    manageable, problem = credentials.manageable(request.access, credential), credential.renew_problem
    acts, closed = acting is not None and acting.credential.pk == credential.pk, clients.refusal(credential) is not None
    context = {
        "credential": credential,
        "health": credential_messages.health(credential),
        "facts": credential_messages.facts(credential),
        "trouble": credential_messages.trouble(credential),
        "manages": request.access.allows(Role.MANAGER),
        "renewal_trouble": problem and credential_messages.code_message(problem),
        "manageable": manageable,
        "acts": acts,
        "acting_words": credential_messages.acting_label(acting) if acting and not (acts and closed) else "",
        "owner": credential_messages.owner(credential, request.user),
        "in_runs": credential.kind in KEPT_IN_RUNS,
        "aside": secret_rotation.last(credential) if manageable else None,
        "shares": _shares(credential),
        "waiting": sharing.waiting(credential=credential) if manageable else [],
        **(_buttons(credential, slug, closed=closed) if manageable else {}),
        "people": credential_usage.acts_for(credential.workspace).get(credential.pk) if manageable else None,
        "flows": credential_usage.flows(credential) if manageable else [],
        "uses": _uses(credential) if manageable else [],
        "background": credential_uses.background_uses(credential) if manageable else {},
    }
    return responses.page(request, "credentials/detail.html", context)


def _shares(credential: Credential) -> list[tuple[CredentialShare, AuditEvent | None, bool]]:
    """Each share, the row of the audit log of the change of owner with which it came, and whether its owner agreed to it."""
    passed_on = sharing.last_pass_on(credential)
    found = []
    for row in sharing.genuine(credential=credential):
        earlier = passed_on is not None and row.consented_at is not None and row.consented_at <= passed_on.at
        # One that was taken over is shared no further before its new owner replaces the secret.
        came = credential.taken_over or earlier
        found.append((row, passed_on if came else None, row.consented_at is not None and not came))
    return found


def _uses(credential: Credential) -> list[dict[str, object]]:
    """Time, person, action, object and page of each use."""
    slug, lines = credential.workspace.slug, []
    for use in credential_usage.uses(credential):
        action = audit_messages.action(use.event.action) if use.event else _("Launched")
        url = audit_messages.url(use.event) if use.event else reverse("launch", args=[slug, use.launch_id])
        lines.append({"at": use.at, "person": use.person, "action": action, "name": use.name, "url": url})
    return lines


def _buttons(credential: Credential, slug: str, *, closed: bool) -> dict[str, object]:
    """The buttons in the page's head: one whose secret the engine refuses needs a new one, any other can be tested."""

    def link(
        label: str, icon: str, view: str, *, posts: bool = False, primary: bool = False, danger: bool = False
    ) -> Button:
        url = reverse(view, args=[slug, credential.pk])
        return Button(label, icon, url, posts=posts, primary=primary, danger=danger)

    buttons = [
        link(_("Share with teams"), "users", "credential_share"),
        link(_("Rename"), "pencil", "credential_rename"),
        link(_("Delete"), "trash-2", "credential_delete", danger=True),
    ]
    if credential.workspace.genuine:
        buttons.insert(0, link(_("Replace the secret"), "key-round", "credential_replace", primary=closed))
    if not closed:
        buttons.insert(0, link(_("Test now"), "stethoscope", "credential_test", posts=True, primary=True))
    first, rest = arranged(buttons)
    return {"first": first, "rest": rest}


@require_POST
@member(Role.VIEWER)
def test(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    credential = find_credential(request, credential_id, to_change=True)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        messages.warning(request, _("You have tested many credentials within a minute. Wait a little, then try again."))
    elif isinstance(result := credentials.retest(credential, actor(request)), Problem):
        messages.error(request, str(credential_messages.problem_message(result).what))
    else:
        tasks.request_inspection(credential)
        messages.success(request, _("The credential works."))
    return responses.redirect_to_view(request, "credential", slug, credential.pk)


@member(Role.VIEWER)
def rename(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    credential = find_credential(request, credential_id, to_change=True)
    form = RenameForm(request.POST or None, initial={"name": credential.name})
    if request.method == "POST" and form.is_valid():
        credentials.rename(actor(request), credential, form.cleaned_data["name"])
        messages.success(request, _("The credential is renamed."))
        return responses.redirect_to_view(request, "credential", slug, credential.pk)
    return responses.form_page(request, "credentials/rename.html", form, {"credential": credential})


@member(Role.VIEWER)
def delete(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    credential = find_credential(request, credential_id, to_change=True)
    if is_sure(request):
        credentials.remove(actor(request), credential)
        messages.success(request, _("The credential “%(name)s” is deleted.") % {"name": credential.name})
        return responses.redirect_to_view(request, "credentials", slug)
    open_launches = credential.launches.filter(OPEN).count()
    people = credential_usage.acts_for(credential.workspace).get(credential.pk)
    context = {"credential": credential, "open_launches": open_launches, "people": people}
    return responses.page(request, "credentials/delete.html", context)


def find_credential(request: ConsoleRequest, credential_id: uuid.UUID, *, to_change: bool = False) -> Credential:
    """A credential of this workspace that the member may see (or change). Raises Http404."""
    credential = credentials.visible(request.access).filter(pk=credential_id).first()
    if credential is None or (to_change and not credentials.manageable(request.access, credential)):
        raise Http404
    return credential


@never_cache
@sensitive_post_parameters("secret", "password", "code")
@sensitive_variables("form")
@member(Role.VIEWER)
def replace(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Enter a new secret, test it, and only then replace the old one.

    If another person replaced it since the page was opened, a confirmation is needed.
    """
    credential = find_credential(request, credential_id, to_change=True)
    credential.workspace.require_genuine()
    last = secret_rotation.latest(credential)
    form = ReplaceForm(credential, last, request.POST if request.method == "POST" else None)
    valid = form.is_valid() and not form.overtaken(request.user) and form.may_test(request)
    if valid and _take_over(request, credential, form):
        return responses.redirect_to_view(request, "credential", slug, credential.pk)
    context = {
        "credential": credential,
        "flavour": credential.workspace.flavour,
        "cancel_url": reverse("credential", args=[slug, credential.pk]),
    }
    return responses.form_page(request, "credentials/replace.html", form, context)


@sensitive_variables("form", "token", "draft")
def _take_over(request: ConsoleRequest, credential: Credential, form: ReplaceForm) -> bool:
    """Test the entered secret, or the token of a sign-in, and replace the old one. False for the form's page again: with an error, or
    after a code was sent."""
    workspace = credential.workspace
    organization = credential.organization_id or workspace.organization_id
    try:
        if form.wants_code:
            signing_in.request_code(workspace.address, form.cleaned_data["email"])
            form.code_sent = True
            return False
        token = signing_in.sign_in(form.typed(workspace.address), organization) if form.signs_in else None
        draft = form.secret_draft(token, organization, address=workspace.address)
        aside = secret_rotation.take_over(actor(request), credential, draft, secret_rotation.test(credential, draft))
    except Problem as problem:
        form.blame(problem)
        return False
    except secret_rotation.Changed:
        # It changed during the test. The page shows with the next submission whether a person replaced it.
        form.add_error(None, _("Someone else changed this secret a moment ago. Check the credential, then try again."))
        return False
    tasks.request_inspection(credential)
    if aside.destroyed_at is None:
        messages.success(request, _("The new secret works and is in use. The old one can be restored for a while."))
    else:
        messages.success(request, _("The new secret works and is in use."))
    return True


@require_POST
@member(Role.VIEWER)
def put_back(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    credential = find_credential(request, credential_id, to_change=True)
    aside = secret_rotation.last(credential)
    if aside is None:
        messages.warning(request, _("There is no previous secret any more: it has expired and was destroyed."))
    elif request.POST.get("aside") != str(aside.pk):
        # The page of the button was about another secret.
        text = credential_messages.overtaken(aside, request.user)
        messages.warning(request, f"{text} {_('Nothing was restored. Check it before you try again.')}")
    else:
        _put_back(request, credential, aside)
    return responses.redirect_to_view(request, "credential", slug, credential.pk)


def _put_back(request: ConsoleRequest, credential: Credential, aside: CredentialSecret) -> None:
    try:
        secret_rotation.put_back(actor(request), credential, aside)
    except secret_rotation.Changed:
        messages.warning(request, _("Someone else changed this secret a moment ago. Check it before you try again."))
        return
    except CannotOpen as problem:
        messages.error(request, credential_messages.code_message(credential_tests.problem_code(problem)).sentence)
        return
    result = credentials.retest(credential, actor(request))
    if isinstance(result, Problem):
        words = credential_messages.problem_message(result).what
        messages.warning(
            request, _("The previous secret is in use again. Its test failed: %(words)s") % {"words": words}
        )
    else:
        messages.success(request, _("The previous secret is in use again, and works."))


@member(Role.VIEWER)
def share(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Choose the teams that use the credential. It acts for their members, who do not see its secret."""
    credential = find_credential(request, credential_id, to_change=True)
    owns = credential.owner_id == request.user.pk
    teams, shared = credentials.teams_for(request.access, credential), sharing.teams(credential)
    if not owns:
        shared += [row.team for row in sharing.waiting(credential=credential)]
    form = ShareForm(teams, shared, request.POST if request.method == "POST" else None)
    if form.is_valid():
        wanted = [team for team in teams if str(team.pk) in form.cleaned_data["teams"]]
        if not credentials.share(actor(request), request.access, credential, wanted):
            messages.info(request, _("Nothing was changed."))
        elif asked := sharing.waiting(credential=credential):
            values = {"owner": credential.owner.label, "teams": ", ".join(row.team.name for row in asked)}
            messages.success(
                request,
                _("A notification asks %(owner)s. Until they agree, it is not used for: %(teams)s.") % values,
            )
        elif wanted:
            names = ", ".join(team.name for team in wanted)
            messages.success(request, _("The credential is now used for everyone in: %(teams)s.") % {"teams": names})
        else:
            messages.success(request, _("The credential is no longer shared with any team."))
        return responses.redirect_to_view(request, "credential", slug, credential.pk)
    context = {"credential": credential, "manages": request.access.allows(Role.MANAGER)}
    return responses.form_page(request, "credentials/share.html", form, context)


@require_safe
@member(Role.VIEWER)
def list_capabilities(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Each capability with its last known state, without a call to the engine."""
    workspace = request.access.workspace
    rows = {row.name: row for row in Capability.objects.filter(workspace=workspace)}
    context = {
        "lines": [
            (label, Ability(rows[name].state if name in rows else Ability.UNKNOWN).badge, rows.get(name))
            for name, label in missing_capabilities.NAMES.items()
        ],
        "engine": credential_messages.engine(workspace.flavour, workspace.engine_version),
        "limits": credential_messages.limits(workspace),
        "inspection": Inspection.objects.filter(workspace=workspace).first(),
        "may_look": request.access.allows(Role.BUILDER),
    }
    return responses.page(request, "credentials/capabilities.html", context)


@require_POST
@member(Role.BUILDER)
def inspect_engine(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Inspect the engine now, with the person's credential, and redirect back. Raises NoCredential, CannotOpen."""
    next_url = request.POST.get("next", "")
    allowed = next_url.startswith(f"/w/{slug}/") and url_has_allowed_host_and_scheme(next_url, allowed_hosts=None)
    back = next_url if allowed else reverse("abilities", kwargs={"slug": slug})
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        messages.warning(request, _("You have asked many times within a minute. Wait a little, then try again."))
        return responses.redirect(request, back)
    workspace = request.access.workspace
    credential = access.credential(request.user, workspace)
    if credential is None:
        raise NoCredential
    survey = capabilities.inspect_now(workspace, credential)
    outcome = "done" if survey.verdicts else "failed"
    seen = {name: str(verdict.state) for name, verdict in survey.verdicts.items()}
    audit_log.record(
        actor(request), "workspace.look", workspace, outcome=outcome, seen=seen, credential=str(credential.pk)
    )
    if survey.verdicts:
        messages.success(request, _("The engine was asked again."))
    elif survey.stopped is None:
        messages.error(request, _("The engine did not answer. What was known about it is kept."))
    else:
        message = error_message(survey.stopped)
        messages.error(request, f"{message.title}. {message.text}")
    return responses.redirect(request, back)
