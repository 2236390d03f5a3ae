"""Workspaces (one project on one engine each), members, access requests, teams, invitations and launch rights."""

from datetime import datetime, timedelta
from typing import ClassVar, Protocol

import structlog
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.audit.objects import AuditedObject
from workflows_ui.core import crypto
from workflows_ui.core.models import Marked

log = structlog.get_logger(__name__)


class Flavour(models.TextChoices):
    IMBRACE = "imbrace", "Imbrace"
    ACTIVEPIECES = "activepieces", "Activepieces"


class Role(models.TextChoices):
    """Roles of members; each includes the previous ones. `description` continues the label."""

    VIEWER = "viewer", _("sees flows, runs and launches"), pgettext_lazy("role", "Viewer")
    LAUNCHER = "launcher", _("also launches flows"), pgettext_lazy("role", "Launcher")
    BUILDER = "builder", _("also changes flows"), pgettext_lazy("role", "Builder")
    MANAGER = "manager", _("also decides who belongs here"), pgettext_lazy("role", "Manager")

    description: str | Promise
    #: 0 for viewer up to 3 for manager.
    rank: int

    def __new__(cls, value: str, description: str | Promise = "") -> "Role":
        """Create the member with its description; Django has already removed the label."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        member.rank = len(cls.__members__)
        return member

    def includes(self, other: "Role") -> bool:
        return self.rank >= other.rank


class Colour(models.TextChoices):
    """The colour bar that distinguishes environments; live, the normal case, has none."""

    NONE = "", _("None (live)")
    GREY = "secondary", _("Grey (practice)")
    BLUE = "azure", _("Blue (sandbox)")
    ORANGE = "orange", _("Orange")
    PURPLE = "purple", _("Purple")


class Placed(Protocol):
    """A workspace, also of a migration's historical model."""

    pk: int
    flavour: str
    address: str
    project_id: str


def place(workspace: Placed) -> dict[str, str]:
    """The engine and project of a workspace, for the binding of ciphertexts."""
    return {"flavour": str(workspace.flavour), "address": workspace.address, "project": workspace.project_id}


class Workspace(Marked):
    """One project on one engine, identified by `slug` in URLs.

    Flavour, address and project are marked when the row is created, and again only when
    workspace_move.services moves it: if they were changed
    in the database the row is not `genuine`, and no secret is sent to that address.
    """

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    colour = models.CharField(_("colour"), max_length=20, choices=Colour, blank=True)
    flavour = models.CharField(_("kind of engine"), max_length=20, choices=Flavour)
    #: Imbrace: the name of an environment, or empty if `address` is a private gateway.
    environment = models.CharField(_("environment"), max_length=20, blank=True)
    #: Imbrace: the gateway. Activepieces: the base of its API. Without a slash at the end.
    address = models.CharField(_("address"), max_length=500)
    organization_id = models.CharField(_("organization"), max_length=120, blank=True)
    project_id = models.CharField(_("project ID"), max_length=64)
    project_name = models.CharField(_("project"), max_length=500, blank=True)
    engine_version = models.CharField(_("engine version"), max_length=40, blank=True)
    #: Limits from the engine's flags, by the names of credentials.services.engine_facts.LIMITS. Empty if the flags contain none.
    engine_limits = models.JSONField(_("engine limits"), default=dict, blank=True)
    practice = models.BooleanField(_("practice"), default=False)
    #: Members without a second step must set one up before they see any page of the workspace (web/access.py).
    second_factor_required = models.BooleanField(_("two-factor authentication required"), default=False)
    launching_paused = models.BooleanField(_("launching is paused"), default=False)
    #: Whether mails and notifications about failures name their cause (notification_mails/causes.py).
    causes_in_notices = models.BooleanField(_("causes in emails and notifications"), default=True, db_default=True)
    #: Whether what deletes or stops something, and every job, asks the person for a reason (resource_admin/action_forms.py).
    reasons_asked = models.BooleanField(_("asks for reasons"), default=False, db_default=False)
    #: Pages that launchers do not see, by the first part of their address in the workspace (members/services/access.py).
    hidden_pages = models.JSONField(_("hidden from launchers"), default=list, blank=True)
    #: Incremented by every change of the workspace's secrets, to invalidate the cache of core.masking.
    secrets_version = models.PositiveIntegerField(default=0, editable=False)
    #: When a run was first matched to its launch by the marker: only then may "no trace" be concluded.
    marker_seen_at = models.DateTimeField(null=True, editable=False)
    #: Number of moves to another engine or project; a launch stores the number at its request.
    moves = models.PositiveIntegerField(default=0, editable=False)
    #: A keyed digest of the last change outside of the console that was audited.
    refused = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("mark",)

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        constraints = [
            models.UniqueConstraint(fields=["flavour", "address", "project_id"], name="one_workspace_a_project"),
        ]

    def __str__(self) -> str:
        return self.name

    def bound_values(self) -> dict[str, str]:
        """The values bound by the mark: engine and project."""
        return place(self)

    def audited_object(self) -> AuditedObject:
        return AuditedObject(self, object_type="workspace", object_id=self.slug, object_name=self.name)

    def stored_secrets(self) -> frozenset[str]:
        """The secrets and passwords of all members' credentials, and replaced ones until they are destroyed. Two queries."""
        secrets = set()
        for credential in self.credentials.only("workspace", "secret", "password").prefetch_related("previous"):
            rows: list[crypto.SealsFields] = [credential]
            rows += (row for row in credential.previous.all() if row.destroyed_at is None)
            for row in rows:
                for field in row.sealed_fields:
                    try:
                        secrets.add(row.open_to_mask(field))
                    except crypto.CannotOpen:
                        log.warning("masking.cannot_open", row=str(row.pk), field=field)
        return frozenset(secrets - {""})

    def increment_secrets_version(self) -> None:
        Workspace.objects.filter(pk=self.pk).update(secrets_version=F("secrets_version") + 1)

    def require_genuine(self) -> None:
        """Raise crypto.PlaceChanged if flavour, address or project were changed outside of the console."""
        if not self.genuine:
            raise crypto.PlaceChanged(str(self.pk))


class Member(models.Model):
    """A person's or a team's role in a workspace. Exactly one of `user` and `team` is set."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    team = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True) | Q(user__isnull=True, team__isnull=False),
                name="member_is_a_person_or_a_team",
            ),
            models.UniqueConstraint(
                fields=["workspace", "user"], condition=Q(user__isnull=False), name="one_role_a_person"
            ),
            models.UniqueConstraint(
                fields=["workspace", "team"], condition=Q(team__isnull=False), name="one_role_a_team"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.role}"

    @property
    def holder(self) -> str:
        return self.user.label if self.user else str(self.team)


class AccessRequest(models.Model):
    """A person's request for a role: they added a working credential of an existing workspace, or followed a link into it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_requests")
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    granted = models.BooleanField(null=True, blank=True)
    #: The path that the person wanted to open; empty for a request by credential. Only decisions show that its workspace exists.
    link = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("access request")
        verbose_name_plural = _("access requests")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user"], condition=Q(decided_at__isnull=True), name="one_open_request_a_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.workspace}"


class TeamProfile(models.Model):
    """The description of a team. A group without this row is a team without a description."""

    team = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    description = models.CharField(_("what it is for"), max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return str(self.team)


class TeamOwner(models.Model):
    """A person who may add people to a team and remove them, without necessarily being in it."""

    team = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="owners")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owned_teams")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("team owner")
        verbose_name_plural = _("team owners")
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_owner_a_team_and_person")]

    def __str__(self) -> str:
        return f"{self.user}: {self.team}"


class ColleagueInvitation(models.Model):
    """An invitation with digests of its tokens. The mail has its own token, whose use proves ownership of the address."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("email address"), max_length=254)
    #: Empty for no role: then only the rights of the teams.
    role = models.CharField(_("role"), max_length=20, choices=Role, blank=True)
    teams = models.ManyToManyField(Group, blank=True, related_name="+")
    link_digest = models.CharField(max_length=64, unique=True)
    mail_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="invitations_given"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("invitation of a colleague")
        verbose_name_plural = _("invitations of colleagues")
        indexes = [models.Index(fields=["workspace", "-created_at"], name="invitation_by_time")]

    def __str__(self) -> str:
        return f"{self.email}: {self.workspace}"

    def audited_object(self) -> AuditedObject:
        return AuditedObject(self.workspace, object_type="invitation", object_id=str(self.pk), object_name=self.email)

    def open(self, now: datetime) -> bool:
        """Whether the loaded row is open and not expired."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now


class InvitationRequest(models.Model):
    """A request to use the link with another address than the invited one. It gives no access until a manager confirms."""

    invitation = models.ForeignKey(ColleagueInvitation, on_delete=models.CASCADE, related_name="requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    granted = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("request to use an invitation")
        verbose_name_plural = _("requests to use invitations")
        constraints = [models.UniqueConstraint(fields=["invitation", "user"], name="invitation_asked_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.invitation}"


#: Period after the end of a right (but not a withdrawal) in which its holder still sees their own launches and the last answer.
LOOK_BACK = timedelta(days=7)


def _usable(now: datetime) -> Q:
    unspent = Q(most_launches__isnull=True) | Q(used__lt=F("most_launches"))
    return (Q(until__isnull=True) | Q(until__gt=now)) & unspent & Q(revoked_at__isnull=True)


class LaunchRights(models.QuerySet["LaunchRight"]):
    def usable(self, now: datetime) -> "LaunchRights":
        return self.filter(_usable(now))

    def ended(self, now: datetime) -> "LaunchRights":
        return self.exclude(_usable(now))

    def with_ended(self, now: datetime) -> "LaunchRights":
        """Annotate each right with whether it has `ended`, as a number to sort by."""
        return self.annotate(ended=Case(When(_usable(now), then=0), default=1, output_field=models.IntegerField()))

    def letting_in(self, now: datetime) -> "LaunchRights":
        """Filter rights that admit their holder to the workspace as a guest: usable ones, and those that ended within LOOK_BACK."""
        since = now - LOOK_BACK
        unspent = Q(most_launches__isnull=True) | Q(used__lt=F("most_launches")) | Q(last_used_at__gt=since)
        return self.filter(Q(until__isnull=True) | Q(until__gt=since), unspent, revoked_at__isnull=True)


class LaunchRight(models.Model):
    """Exactly one of `user`, `team` and `invitation` is set. `used` is changed by conditional updates only
    (members/services/launch_rights.py).

    With an `invitation` the right is pending: nobody holds it until somebody accepts the invitation, who is then the `user`.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="launch_rights")
    flow_id = models.CharField(max_length=64)
    #: The flow's name when the right was given, to save requests to the engine.
    flow_name = models.TextField(blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="launch_rights"
    )
    team = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="launch_rights")
    invitation = models.ForeignKey(
        ColleagueInvitation, on_delete=models.CASCADE, null=True, blank=True, related_name="launch_rights"
    )
    until = models.DateTimeField(_("until"), null=True, blank=True)
    most_launches = models.PositiveIntegerField(_("number of launches"), null=True, blank=True)
    used = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = LaunchRights.as_manager()

    class Meta:
        verbose_name = _("launch right")
        verbose_name_plural = _("launch rights")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True, invitation__isnull=True)
                | Q(user__isnull=True, team__isnull=False, invitation__isnull=True)
                | Q(user__isnull=True, team__isnull=True, invitation__isnull=False),
                name="launch_right_has_one_holder",
            ),
            models.CheckConstraint(
                condition=Q(most_launches__isnull=True) | Q(used__lte=F("most_launches")),
                name="launch_right_is_never_overused",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "flow_id"], name="launch_right_by_flow")]

    def __str__(self) -> str:
        return f"{self.holder}: {self.flow_id}"

    def audited_object(self) -> AuditedObject:
        return AuditedObject(
            self.workspace,
            object_type="launch_right",
            object_id=str(self.pk),
            object_name=self.flow_name or self.flow_id,
        )

    @property
    def holder(self) -> str:
        """The name of the person or team, or the invited address."""
        if self.invitation:
            return self.invitation.email
        return self.user.label if self.user else str(self.team)

    def usable(self, now: datetime) -> bool:
        over = self.until is not None and self.until <= now
        spent = self.most_launches is not None and self.used >= self.most_launches
        return self.revoked_at is None and not over and not spent
