"""Changes of a credential's secret or users: replacing the secret, restoring the old one, sharing with teams."""

import uuid

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials import tasks
from workflows_ui.credentials.forms.credentials import ReplaceForm, ShareForm
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import (
    capabilities,
    credential_tests,
    credentials,
    replacement,
    secret_rotation,
    sharing,
    signing_in,
)
from workflows_ui.credentials.services.credential_tests import Draft, Problem
from workflows_ui.credentials.services.signing_in import Begun, Token
from workflows_ui.credentials.views.credentials import address_of, find
from workflows_ui.members.models import Flavour, Role
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor


@never_cache
@sensitive_post_parameters("secret", "password", "code")
@sensitive_variables("form", "draft")
@member(Role.VIEWER)
def replace(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Enter a new secret, test it, and only then replace the old one.

    If another person replaced it since the page was opened, a confirmation is needed.
    """
    credential = find(request, credential_id, to_change=True)
    credential.workspace.require_genuine()
    last = secret_rotation.latest(credential)
    form = ReplaceForm(credential, last, request.POST if request.method == "POST" else None)
    if not form.is_valid() or form.overtaken(request.user):
        return _page(request, credential, form)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        form.add_error(None, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return _page(request, credential, form)
    try:
        if form.wants_code:
            signing_in.request_code(credential.workspace.address, form.cleaned_data["email"])
            return _page(request, credential, form, code_sent=True)
        draft = _draft(form, credential)
        aside = replacement.take_over(actor(request), credential, draft, replacement.test(credential, draft))
    except Problem as problem:
        form.blame(problem)
        return _page(request, credential, form, problem)
    except secret_rotation.Changed:
        # It changed during the test. On the next submission the page tells whether a person replaced it.
        form.add_error(
            None, _("Somebody else changed this secret a moment ago. Look at the credential, then try again.")
        )
        return _page(request, credential, form)
    tasks.enqueue_inspection(capabilities.request_inspection(credential))
    if aside.destroyed_at is None:
        messages.success(request, _("The new secret works and is in use. The old one can be put back for a while."))
    else:
        messages.success(request, _("The new secret works and is in use."))
    return responses.redirect(request, address_of(credential))


@require_POST
@member(Role.VIEWER)
def put_back(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    credential = find(request, credential_id, to_change=True)
    aside = secret_rotation.last(credential)
    if aside is None:
        messages.warning(request, _("There is no earlier secret any more: its time is over, and it is destroyed."))
        return responses.redirect(request, address_of(credential))
    if request.POST.get("aside") != str(aside.pk):
        # The page of the button was about another secret.
        text = credential_messages.overtaken(aside, request.user)
        messages.warning(request, f"{text} {_('Nothing was put back. Look at it before you try again.')}")
        return responses.redirect(request, address_of(credential))
    try:
        replacement.put_back(actor(request), credential, aside)
    except secret_rotation.Changed:
        messages.warning(request, _("Somebody else changed this secret a moment ago. Look at it before you try again."))
        return responses.redirect(request, address_of(credential))
    except CannotOpen as problem:
        messages.error(request, credential_messages.code_message(credential_tests.problem_code(problem)).sentence)
        return responses.redirect(request, address_of(credential))
    result = credentials.retest(credential, actor(request))
    if isinstance(result, Problem):
        words = credential_messages.problem_message(result).what
        messages.warning(
            request, _("The earlier secret is in use again. Its test failed: %(words)s") % {"words": words}
        )
    else:
        messages.success(request, _("The earlier secret is in use again, and works."))
    return responses.redirect(request, address_of(credential))


@member(Role.VIEWER)
def share(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Choose the teams that use the credential. It acts for their members, who do not see its secret."""
    credential = find(request, credential_id, to_change=True)
    teams, shared = credentials.teams_for(request.access, credential), sharing.teams(credential)
    form = ShareForm(teams, shared, request.POST if request.method == "POST" else None)
    if form.is_valid():
        wanted = list(form.cleaned_data["teams"])
        if not credentials.share(actor(request), request.access, credential, wanted):
            messages.info(request, _("Nothing was changed."))
        elif wanted:
            names = ", ".join(team.name for team in wanted)
            messages.success(request, _("The credential acts for everybody in: %(teams)s.") % {"teams": names})
        else:
            messages.success(request, _("The credential is no longer shared with any team."))
        return responses.redirect(request, address_of(credential))
    chosen = {str(value) for value in form["teams"].value() or []}
    context = {"credential": credential, "choices": [(team, str(team.pk) in chosen) for team in teams]}
    return responses.form_page(request, "credentials/share.html", form, context)


@sensitive_variables("form", "token")
def _draft(form: ReplaceForm, credential: Credential) -> Draft:
    """The credential with the entered secret or the token of a sign-in, for the engine of its workspace. Raises Problem."""
    workspace = credential.workspace
    token: Token | None = None
    organization = credential.organization_id or workspace.organization_id
    if form.signs_in and form.flavour == Flavour.ACTIVEPIECES:
        token = signing_in.sign_in(form.typed(workspace.address))
    elif form.signs_in:
        begun: Begun = signing_in.begin(form.typed(workspace.address))
        token = signing_in.finish(begun, organization)
    return form.secret_draft(token, organization, address=workspace.address)


def _page(
    request: ConsoleRequest,
    credential: Credential,
    form: ReplaceForm,
    problem: Problem | None = None,
    *,
    code_sent: bool = False,
) -> HttpResponse:
    context = {
        "credential": credential,
        "technical": problem.technical if problem else "",
        "code_sent": code_sent,
        "flavour": credential.workspace.flavour,
        "cancel_url": address_of(credential),
    }
    return responses.form_page(request, "credentials/replace.html", form, context)
