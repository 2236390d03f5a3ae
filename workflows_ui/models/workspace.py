"""A workspace (one project on one engine), who belongs to it, and who asks to be let in."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Flavour(models.TextChoices):
    """The two kinds of engine."""

    IMBRACE = "imbrace", "Imbrace"
    ACTIVEPIECES = "activepieces", "Activepieces"


class Role(models.TextChoices):
    """What a member may do; each role includes the ones before it."""

    VIEWER = "viewer", pgettext_lazy("role", "Viewer")
    LAUNCHER = "launcher", pgettext_lazy("role", "Launcher")
    BUILDER = "builder", pgettext_lazy("role", "Builder")
    MANAGER = "manager", pgettext_lazy("role", "Manager")

    @property
    def rank(self) -> int:
        """0 for viewer up to 3 for manager."""
        return list(type(self)).index(self)

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        return self.rank >= other.rank


class Colour(models.TextChoices):
    """The stripe that tells environments apart; live has none, since live is the normal case."""

    NONE = "", _("None (live)")
    GREY = "secondary", _("Grey (practice)")
    BLUE = "azure", _("Blue (sandbox)")
    ORANGE = "orange", _("Orange")
    PURPLE = "purple", _("Purple")


class Workspace(models.Model):
    """One project on one engine. Found by `slug` in every address of the console."""

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    colour = models.CharField(_("colour"), max_length=20, choices=Colour, blank=True)
    flavour = models.CharField(_("kind of engine"), max_length=20, choices=Flavour)
    #: Imbrace: an environment's name, or empty where `address` is a gateway of one's own.
    environment = models.CharField(_("environment"), max_length=20, blank=True)
    #: Imbrace: the gateway. Activepieces: the base of its API. Without a slash at the end.
    address = models.CharField(_("address"), max_length=500)
    organization_id = models.CharField(_("organization"), max_length=120, blank=True)
    project_id = models.CharField(_("project id"), max_length=64)
    project_name = models.CharField(_("project"), max_length=500, blank=True)
    engine_version = models.CharField(_("engine version"), max_length=40, blank=True)
    practice = models.BooleanField(_("practice"), default=False)
    #: Members without a second step are led to set one up before they see anything of it (kit/access.py).
    second_factor_required = models.BooleanField(_("a second step is demanded"), default=False)
    launching_paused = models.BooleanField(_("launching is paused"), default=False)
    #: Grows whenever a secret of the workspace comes, goes or changes: what services.masking keeps in memory is then out of date.
    secrets_version = models.PositiveIntegerField(default=0, editable=False)
    #: When a run was first matched to its launch by the marker: only then may "no trace" be concluded.
    marker_seen_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        constraints = [
            models.UniqueConstraint(fields=["flavour", "address", "project_id"], name="one_workspace_a_project"),
        ]

    def __str__(self) -> str:
        return self.name


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
    """Somebody who brought a working credential for a workspace that exists asks its managers to be let in."""

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
