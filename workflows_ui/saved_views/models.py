"""Saved views of lists, and what a person chose for a list."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.audit.objects import AuditedObject
from workflows_ui.members.models import Workspace


class SavedView(models.Model):
    """Filters, order and columns of a list under a name: its owner's own, or also a team's."""

    #: None for lists without a workspace, such as notifications.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    #: The list's path, below the workspace's if it has one, such as `runs`.
    list_path = models.CharField(max_length=200)
    name = models.CharField(_("name"), max_length=80)
    #: Filters and order, as the list's address has them.
    query = models.CharField(max_length=2000, blank=True)
    #: The keys of the columns that are not shown, so that new columns are.
    hidden = models.JSONField(default=list, blank=True)
    team = models.ForeignKey(
        Group, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("shared with")
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["owner", "workspace", "list_path", "name"], name="one_saved_view_a_name"),
            models.UniqueConstraint(
                fields=["owner", "list_path", "name"],
                condition=models.Q(workspace=None),
                name="one_own_saved_view_a_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def audited_object(self) -> AuditedObject:
        return AuditedObject(self.workspace, object_type="saved_view", object_id=str(self.pk), object_name=self.name)


class ListChoice(models.Model):
    """A person's choice for a list: the columns without a view, the view that it opens with, and whether the plot above it is open."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    list_path = models.CharField(max_length=200)
    hidden = models.JSONField(default=list, blank=True)
    default_view = models.ForeignKey(SavedView, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: Folded by default, so that the first screen has the rows.
    plot_open = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = _("choice for a list")
        verbose_name_plural = _("choices for lists")
        constraints = [
            models.UniqueConstraint(fields=["user", "workspace", "list_path"], name="one_choice_a_person_and_list"),
            models.UniqueConstraint(
                fields=["user", "list_path"], condition=models.Q(workspace=None), name="one_own_choice_a_list"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.list_path}"
