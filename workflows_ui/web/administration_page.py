"""The first page of /admin/: the state of the whole console as cards of facts, its workspaces, and the credentials that end.

Only the console's own database, cache, broker and settings are asked, never an engine. Nothing here reads a secret.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, ngettext, pgettext_lazy

from workflows_ui.accounts.models import Identity, User
from workflows_ui.accounts.services import people, second_step, single_sign_on
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import verification
from workflows_ui.audit.services.hash_chain import NoSuchKey
from workflows_ui.core import formats
from workflows_ui.core.collation import by_name
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.credentials.models import Credential, Health
from workflows_ui.health import services as health
from workflows_ui.members.models import AccessRequest, ColleagueInvitation, Member, Role, TeamOwner, Workspace
from workflows_ui.members.services import access
from workflows_ui.web.stored_data import list_url, row_url

#: Workspaces and credentials that the page lists.
MOST = 20
#: Credentials are listed from this time before their end until this time after it.
SOON = timedelta(days=30)
_DAY = timedelta(days=1)
_WORKS = Badge(_("Works"), "circle-check", "green")
_DOWN = Badge(_("Does not work"), "circle-x", "red")
_PAUSED = Badge(_("Launching is paused"), "circle-pause", "yellow")
_NO_CREDENTIAL = Badge(_("No credential"), "key-round", "secondary")
_NOT_TESTED = Badge(_("Not tested"), "circle-question-mark", "secondary")
_ENDED = Badge(pgettext_lazy("credential", "Ended"), "circle-x", "red")
_ENDS = Badge(_("Ends soon"), "hourglass", "yellow")
#: The parts of the console by their names in health.services.CHECKS: label, and what to do while one does not work.
_PARTS: dict[str, tuple[Text, Text]] = {
    "database": (_("Database"), _("Nothing can be stored. Check the server that DATABASE_URL names.")),
    "broker": (
        _("Broker"),
        _("Launches and jobs wait until it answers. Check the server that CELERY_BROKER_URL names."),
    ),
    "worker": (
        _("Worker and beat"),
        _("No sign of life for 30 seconds: launches, jobs and emails wait. Start a worker and beat."),
    ),
    "cache": (_("Cache"), _("Pages are slower until it answers. Check the server that CACHE_URL names.")),
}


@dataclass(frozen=True)
class Fact:
    """A line of a card: a number or text, or a state; where it leads, and what to do about it."""

    label: Text
    value: Text | int = ""
    state: Badge | None = None
    url: str = ""
    note: Text = ""

    @property
    def text(self) -> Text:
        return formats.number(self.value) if isinstance(self.value, int) else self.value


@dataclass(frozen=True)
class Card:
    """One subject of the page, with its own page of the console, if it has one."""

    title: Text
    icon: str
    facts: Sequence[Fact]
    url: str = ""
    link: Text = ""
    foot: Text = ""


@dataclass(frozen=True)
class WorkspaceLine:
    """A workspace with its engine, its states, and who belongs to it."""

    name: str
    url: str
    engine: str
    version: str
    states: Sequence[Badge]
    tested_at: object
    members: str


@dataclass(frozen=True)
class CredentialLine:
    """A credential that ends or has ended, and is not renewed."""

    name: str
    url: str
    workspace: str
    owner: str
    ends_at: object
    state: Badge


def context(reader: User) -> dict[str, object]:
    """The values of admin/front.html."""
    roles = Member.objects.filter(access.held_by(reader)).values_list("workspace_id", "role")
    managed: dict[int, bool] = {}
    for pk, role in roles:
        managed[pk] = managed.get(pk, False) or role == Role.MANAGER
    count, events = _count_people(), _count_events()
    return {
        "cards": [
            _health(),
            _people(count),
            _teams(),
            _sign_in(count, events["refused"]),
            _mail(count),
            _audit(events),
        ],
        **_workspaces(managed),
        **_credentials(managed),
    }


def _health() -> Card:
    works = health.working()
    facts = [
        Fact(label, state=_WORKS if works[name] else _DOWN, note="" if works[name] else hint)
        for name, (label, hint) in _PARTS.items()
    ]
    python = ".".join(str(part) for part in sys.version_info[:2])
    software = f"Django {django.get_version()} · Python {python} · {connection.display_name}"
    version = Fact(_("Version"), health.version() or "–", note=software)
    foot = "" if all(works.values()) else _("What else to check stands in docs/operations.md, “When something fails”.")
    return Card(_("Health"), "stethoscope", [*facts, version], foot=foot)


def _count_people() -> dict[str, int]:
    """The people of the console, counted in one query.

    `locked_out`: active, and without the second step that one of their workspaces requires.
    """
    active, person = Q(is_active=True), OuterRef("pk")
    requiring = Workspace.objects.filter(second_factor_required=True)
    member = Member.objects.filter(Q(user=person) | Q(team__user=person), workspace__second_factor_required=True)
    # The pages of superusers show all workspaces.
    required = Q(Exists(member)) | Q(Exists(requiring), is_superuser=True)
    conditions = {
        "active": active,
        "administrators": active & Q(is_superuser=True),
        "off": ~active,
        "without_step": active & second_step.lacking(),
        "locked_out": active & second_step.lacking() & required,
        "linked": active & Q(Exists(Identity.objects.filter(user=person))),
        "without_email": active & Q(email=""),
    }
    count: dict[str, int] = User.objects.aggregate(
        **{name: Count("pk", filter=condition) for name, condition in conditions.items()}
    )
    return count


def _count_events() -> dict[str, int]:
    """The rows of the audit log of the last 24 hours, and the refused sign-ins among them."""
    refused = Q(workspace=None, action="person.sign_in", outcome="refused")
    count: dict[str, int] = AuditEvent.objects.filter(at__gte=timezone.now() - _DAY).aggregate(
        today=Count("pk"), refused=Count("pk", filter=refused)
    )
    return count


def _people(count: dict[str, int]) -> Card:
    unused = Q(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    only = count["administrators"] == 1
    people_url = reverse("people")
    return Card(
        _("People"),
        "contact",
        [
            Fact(_("Active people"), count["active"], url=f"{people_url}?account=active"),
            Fact(
                _("Administrators"),
                count["administrators"],
                url=f"{people_url}?account=administrator",
                note=_("If this person loses access, only a command on the server helps. Name a second one.")
                if only
                else "",
            ),
            Fact(_("Invited"), ColleagueInvitation.objects.filter(unused).count(), url=list_url(ColleagueInvitation)),
            Fact(
                _("Waiting for access"),
                AccessRequest.objects.filter(decided_at=None).count(),
                url=list_url(AccessRequest),
            ),
            _locked_out(count["locked_out"]),
            Fact(_("Deactivated"), count["off"], url=f"{people_url}?account=off"),
        ],
        people_url,
        _("All people"),
    )


def _locked_out(count: int) -> Fact:
    otherwise = (
        _("Locked out until they set it up, or single sign-on reports a second factor.")
        if single_sign_on.enabled()
        else _("Locked out until they set it up.")
    )
    note = otherwise if count else ""
    return Fact(_("Without required two-factor authentication"), count, url=reverse("people"), note=note)


def _teams() -> Card:
    inside, owners = User.objects.filter(groups=OuterRef("pk")), TeamOwner.objects.filter(team=OuterRef("pk"))
    count: dict[str, int] = Group.objects.aggregate(
        every=Count("pk"),
        empty=Count("pk", filter=~Exists(inside)),
        unowned=Count("pk", filter=~Exists(owners)),
    )
    url = reverse("teams")
    return Card(
        _("Teams"),
        "users-round",
        [
            Fact(_("Teams"), count["every"], url=url),
            Fact(_("Without people"), count["empty"], url=url),
            Fact(
                _("Without an owner"),
                count["unowned"],
                url=url,
                note=_("Only administrators add people to them.") if count["unowned"] else "",
            ),
        ],
        url,
        _("All teams"),
    )


def _sign_in(count: dict[str, int], refused: int) -> Card:
    enabled = single_sign_on.enabled()
    audit_url = reverse("audit_everywhere", query={"action": "person.sign_in", "outcome": "refused"})
    on = Badge(pgettext_lazy("setting", "On"), "circle-check", "green")
    off = Badge(pgettext_lazy("setting", "Off"), "circle-minus", "secondary")
    return Card(
        _("Sign-in"),
        "log-in",
        [
            Fact(
                _("Single sign-on"),
                state=on if enabled else off,
                note=f"{settings.OIDC_NAME} · {urlsplit(settings.OIDC_ISSUER).netloc}"
                if enabled
                else _("Everyone signs in with a password or a passkey. OIDC_ISSUER turns it on."),
            ),
            Fact(_("People who have used single sign-on"), count["linked"], url=reverse("people")),
            Fact(
                _("People with two-factor authentication"),
                count["active"] - count["without_step"],
                url=reverse("people"),
            ),
            Fact(_("Refused sign-ins in the last 24 hours"), refused, url=audit_url),
        ],
    )


def _mail(count: dict[str, int]) -> Card:
    if not people.mail_is_set_up():
        state = Badge(_("Not set up"), "circle-minus", "yellow")
        note: Text = _("No one can reset a password, and invitations are links only. EMAIL_URL sets it up.")
    elif settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        state = Badge(_("Written to the log"), "text-align-start", "yellow")
        note = _("No one receives emails. EMAIL_URL names an email server.")
    else:
        state, note = Badge(pgettext_lazy("mail", "Set up"), "circle-check", "green"), ""
    return Card(
        _("Email"),
        "mail",
        [
            Fact(pgettext_lazy("administration", "Sending"), state=state, note=note),
            Fact(_("Sender"), settings.DEFAULT_FROM_EMAIL),
            Fact(_("People without an email address"), count["without_email"], url=reverse("people")),
        ],
    )


def _audit(events: dict[str, int]) -> Card:
    late = AuditEvent.objects.filter(number=None, at__lt=timezone.now() - verification.LATE).count()
    url = reverse("audit_everywhere")
    try:
        head = verification.signed_head()
    except (verification.Broken, NoSuchKey):
        entries: Text | int = "–"
        state = Badge(_("Not intact"), "circle-x", "red")
        note: Text = _("Someone changed the log, or a key of AUDIT_KEY is missing: manage.py verify_audit says which.")
    else:
        entries = head.number
        state = Badge(_("Intact"), "circle-check", "green")
        note = _("Only the end is checked here. Run manage.py verify_audit daily: it checks every row.")
    waiting = _("Does a worker run, and beat?") if late else ""
    return Card(
        _("Audit"),
        "clipboard-list",
        [
            Fact(_("Signed end"), state=state, note=note),
            Fact(_("Rows"), entries, url=url),
            Fact(_("Not signed after more than a minute"), late, note=waiting),
            Fact(_("Rows of the last 24 hours"), events["today"], url=url),
        ],
        url,
        _("Audit of the whole console"),
    )


def _workspaces(managed: dict[int, bool]) -> dict[str, object]:
    tests = Credential.objects.filter(workspace=OuterRef("pk"), tested_at__isnull=False).order_by("-tested_at")
    rows = (
        Workspace.objects.annotate(
            people=Count("members__user", distinct=True),
            teams=Count("members__team", distinct=True),
            has_credential=Exists(Credential.objects.filter(workspace=OuterRef("pk"))),
            tested=Subquery(tests.values("health")[:1]),
            tested_at=Subquery(tests.values("tested_at")[:1]),
        )
        .order_by("-launching_paused", *by_name("name"), "pk")
        .defer("engine_limits", "hidden_pages")
    )
    count: dict[str, int] = Workspace.objects.aggregate(
        every=Count("pk"), paused=Count("pk", filter=Q(launching_paused=True))
    )
    return {
        "workspaces": [_workspace(row, member=row.pk in managed) for row in rows[:MOST]],
        "workspace_count": count["every"],
        "paused_count": count["paused"],
        "workspaces_url": list_url(Workspace),
    }


def _workspace(row: Any, *, member: bool) -> WorkspaceLine:
    """A line for an annotated row. Only members open the workspace itself."""
    states = [_PAUSED] if row.launching_paused else []
    if row.tested in Health.values:
        states.append(Health(row.tested).badge)
    else:
        states.append(_NOT_TESTED if row.has_credential else _NO_CREDENTIAL)
    members = [ngettext("%(n)d person", "%(n)d people", row.people) % {"n": row.people}]
    if row.teams:
        members.append(ngettext("%(n)d team", "%(n)d teams", row.teams) % {"n": row.teams})
    return WorkspaceLine(
        name=row.name,
        url=reverse("workspace", args=[row.slug]) if member else row_url(row),
        engine=f"{row.get_flavour_display()} · {row.address.split('://')[-1].split('/')[0]}",
        version=row.engine_version,
        states=states,
        tested_at=row.tested_at,
        members=" · ".join(members),
    )


def _credentials(managed: dict[int, bool]) -> dict[str, object]:
    now = timezone.now()
    renewed = Q(renew_at__isnull=False, renew_problem="")
    over, soon = Q(ends_at__lte=now), Q(ends_at__gt=now, ends_at__lte=now + SOON)
    count: dict[str, int] = Credential.objects.aggregate(
        ended=Count("pk", filter=over & ~renewed),
        soon=Count("pk", filter=soon & ~renewed),
        renewed=Count("pk", filter=(over | soon) & renewed),
    )
    rows = (
        Credential.objects.filter((over & Q(ends_at__gt=now - SOON)) | soon)
        .exclude(renewed)
        .select_related("workspace", "owner")
        .only(
            "name",
            "ends_at",
            "workspace__slug",
            "workspace__name",
            "owner__username",
            "owner__first_name",
            "owner__last_name",
        )
        .order_by("ends_at", "pk")
    )
    lines = [
        CredentialLine(
            name=row.name,
            url=reverse("credential", args=[row.workspace.slug, row.pk])
            if managed.get(row.workspace_id)
            else row_url(row),
            workspace=row.workspace.name,
            owner=row.owner.label,
            ends_at=row.ends_at,
            state=_ENDED if row.ends_at and row.ends_at <= now else _ENDS,
        )
        for row in rows[:MOST]
    ]
    return {"ending": lines, "ending_count": count, "credentials_url": list_url(Credential)}
