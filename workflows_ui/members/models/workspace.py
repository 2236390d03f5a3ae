"""Workspaces (one project on one engine each), their members, and access requests."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.core import crypto
from workflows_ui.core.models import Marked


class Flavour(models.TextChoices):
    """Kinds of engines."""

    IMBRACE = "imbrace", "Imbrace"
    ACTIVEPIECES = "activepieces", "Activepieces"


class Role(models.TextChoices):
    """Roles of members; each includes the previous ones. `description` continues the label."""

    VIEWER = "viewer", _("sees flows, runs and launches"), pgettext_lazy("role", "Viewer")
    LAUNCHER = "launcher", _("also launches flows"), pgettext_lazy("role", "Launcher")
    BUILDER = "builder", _("also changes flows"), pgettext_lazy("role", "Builder")
    MANAGER = "manager", _("also decides who belongs here"), pgettext_lazy("role", "Manager")

    description: str | Promise

    def __new__(cls, value: str, description: str | Promise = "") -> "Role":
        """Create the member with its description; Django has already removed the label."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    @property
    def rank(self) -> int:
        """0 for viewer up to 3 for manager."""
        return list(type(self)).index(self)

    def includes(self, other: "Role") -> bool:
        """Return whether this role has all rights of `other`."""
        return self.rank >= other.rank


class Colour(models.TextChoices):
    """The colour bar that distinguishes environments; live, the normal case, has none."""

    NONE = "", _("None (live)")
    GREY = "secondary", _("Grey (practice)")
    BLUE = "azure", _("Blue (sandbox)")
    ORANGE = "orange", _("Orange")
    PURPLE = "purple", _("Purple")


def place(workspace: Any) -> dict[str, str]:
    """Return the engine and project of a workspace, for the binding of ciphertexts. Accepts a migration's historical model."""
    return {"flavour": str(workspace.flavour), "address": workspace.address, "project": workspace.project_id}


class Workspace(Marked):
    """One project on one engine, identified by `slug` in URLs.

    Flavour, address and project are marked when the row is created, and again only when
    credentials.services.workspace_move moves it: if they were changed
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
    project_id = models.CharField(_("project id"), max_length=64)
    project_name = models.CharField(_("project"), max_length=500, blank=True)
    engine_version = models.CharField(_("engine version"), max_length=40, blank=True)
    #: Limits from the engine's flags, by the names of credentials.services.engine_facts.LIMITS. Empty if the flags contain none.
    engine_limits = models.JSONField(_("engine limits"), default=dict, blank=True)
    practice = models.BooleanField(_("practice"), default=False)
    #: Members without a second step must set one up before they see any page of the workspace (web/access.py).
    second_factor_required = models.BooleanField(_("two-factor authentication required"), default=False)
    launching_paused = models.BooleanField(_("launching is paused"), default=False)
    #: Incremented by every change of the workspace's secrets, to invalidate the cache of credentials.masking.
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
        """Return the values bound by the mark: engine and project."""
        return place(self)

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


class AccessRequest(models.Model):
    """A request for membership by a person who added a working credential of an existing workspace."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_requests")
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    granted = models.BooleanField(null=True, blank=True)

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
