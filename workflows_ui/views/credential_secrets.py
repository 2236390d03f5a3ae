"""What changes a credential's secret or owner: another secret in its place, the old one back, a team instead of a person."""

import uuid

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from workflows_ui.crypto import CannotOpen
from workflows_ui.forms.credentials import HandOverForm, ReplaceForm
from workflows_ui.kit import credential_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Credential, Flavour, Role
from workflows_ui.services import capabilities, credentials, replacing, signing_in, swapping
from workflows_ui.services.credentials import Draft, Problem
from workflows_ui.services.signing_in import Begun, Token
from workflows_ui.tasks import ring_inspection
from workflows_ui.views.credentials import address_of, find


@never_cache
@sensitive_post_parameters("secret", "password", "code")
@sensitive_variables("form", "draft")
@member(Role.VIEWER)
def replace(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Asks for another secret, tests it, and only then puts it in the old one's place.

    Where somebody else did that since the page was opened, it says so and asks again.
    """
    credential = find(request, credential_id, to_change=True)
    last = swapping.latest(credential)
    form = ReplaceForm(credential, last, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid() or form.overtaken(request.user):
        return _page(request, credential, form)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        form.add_error(None, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return _page(request, credential, form)
    try:
        if form.wants_code:
            signing_in.ask_for_code(credential.workspace.address, form.cleaned_data["email"])
            return _page(request, credential, form, code_sent=True)
        draft = _draft(form, credential)
        aside = replacing.take_over(actor(request), credential, draft, credentials.test(draft))
    except Problem as problem:
        form.blame(problem)
        return _page(request, credential, form, problem)
    except replacing.Changed:
        # While this one was tested. Whether a person did it, or it renewed itself, the page says the next time it is sent.
        form.add_error(
            None, _("Somebody else changed this secret a moment ago. Look at the credential, then try again.")
        )
        return _page(request, credential, form)
    ring_inspection(capabilities.ask(credential))
    if aside.destroyed_at is None:
        messages.success(request, _("The new secret works and is in use. The old one can be put back for a while."))
    else:
        messages.success(request, _("The new secret works and is in use."))
    return respond.redirect(request, address_of(credential))


@require_POST
@member(Role.VIEWER)
def put_back(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """One click: the secret that was replaced last is in use again, then tested."""
    credential = find(request, credential_id, to_change=True)
    aside = swapping.last(credential)
    if aside is None:
        messages.warning(request, _("There is no earlier secret any more: its time is over, and it is destroyed."))
        return respond.redirect(request, address_of(credential))
    if request.POST.get("aside") != str(aside.pk):
        # The button was on a page that shows another secret's story.
        told = credential_words.overtaken(aside, request.user)
        messages.warning(request, f"{told} {_('Nothing was put back. Look at it before you try again.')}")
        return respond.redirect(request, address_of(credential))
    try:
        replacing.put_back(actor(request), credential, aside)
    except replacing.Changed:
        messages.warning(request, _("Somebody else changed this secret a moment ago. Look at it before you try again."))
        return respond.redirect(request, address_of(credential))
    except CannotOpen:
        messages.error(request, credential_words.of_code(credentials.Code.CANNOT_OPEN).sentence)
        return respond.redirect(request, address_of(credential))
    result = credentials.retest(credential, actor(request))
    if isinstance(result, Problem):
        words = credential_words.of_problem(result).what
        messages.warning(
            request, _("The earlier secret is in use again. Its test failed: %(words)s") % {"words": words}
        )
    else:
        messages.success(request, _("The earlier secret is in use again, and works."))
    return respond.redirect(request, address_of(credential))


@member(Role.VIEWER)
def hand_over(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Which team is the credential for? It then acts for all of its people, and none of them sees it."""
    credential = find(request, credential_id)
    teams = credentials.teams_for(request.access, credential)
    if not teams.exists() and not credentials.manageable(request.access, credential):
        raise Http404
    form = HandOverForm(teams, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        team = form.cleaned_data["team"]
        credentials.hand_over(actor(request), request.access, credential, team)
        messages.success(
            request, _("The credential belongs to the team %(team)s, and acts for everybody in it.") % {"team": team}
        )
        visible = credentials.visible(request.access).filter(pk=credential.pk).exists()
        where = address_of(credential) if visible else reverse("credentials", kwargs={"slug": slug})
        return respond.redirect(request, where)
    context = {"form": form, "credential": credential, "any": teams.exists()}
    return respond.page(request, "credentials/hand_over.html", context, status=422 if form.errors else 200)


@sensitive_variables("form", "token")
def _draft(form: ReplaceForm, credential: Credential) -> Draft:
    """What was typed, or what signing in came to; for the engine of the credential's workspace. Raises Problem."""
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
        "form": form,
        "credential": credential,
        "technical": problem.technical if problem else "",
        "code_sent": code_sent,
        "flavour": credential.workspace.flavour,
        "cancel_url": address_of(credential),
    }
    return respond.page(request, "credentials/replace.html", context, status=422 if form.errors else 200)


_PLACE = "w/<slug:slug>/credentials/<uuid:credential_id>"
urlpatterns = [
    path(f"{_PLACE}/replace/", replace, name="credential_replace"),
    path(f"{_PLACE}/put-back/", put_back, name="credential_put_back"),
    path(f"{_PLACE}/hand-over/", hand_over, name="credential_hand_over"),
]
