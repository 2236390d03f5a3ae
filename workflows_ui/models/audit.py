"""The audit log: who did what to which object, when and with what outcome. Rows are only ever added, and chained by a keyed mark.

A trigger in the database refuses every change of a row, and its removal except behind a checkpoint (migration `audit_chain`).
"""

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows_ui.models import audit_text
from workflows_ui.models.workspace import Workspace

#: The outcome of a row that says that a write to the engine is about to begin; another row, linked by `begun`, tells its end.
BEGUN = "begun"


class AppendOnly(TypeError):
    """Somebody tried to change or delete a row of the audit log."""


class AuditRows(models.QuerySet["AuditEvent"]):
    """Rows of the log; none of the ways in which a query set changes or deletes rows is there."""

    def update(self, **_values: Any) -> NoReturn:
        raise AppendOnly("Rows of the audit log are not changed.")

    def bulk_update(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise AppendOnly("Rows of the audit log are not changed.")

    def delete(self) -> NoReturn:
        raise AppendOnly(
            "Rows of the audit log are not deleted; services/audit_pruning.py removes what is past its time."
        )


class AuditEvent(models.Model):
    """One line of the log. `detail` holds plain values, secrets masked before they get here. Made by services/audit.py only."""

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("person")
    )
    #: The person's name and user name at that moment: people are renamed.
    user_name = models.TextField(blank=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, null=True, related_name="+")
    #: noun.verb, such as launch.ask or credential.add.
    action = models.CharField(_("action"), max_length=60)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=120, blank=True)
    object_name = models.TextField(blank=True)
    outcome = models.CharField(_("outcome"), max_length=20)
    #: Why, in the person's own words, where they were asked.
    reason = models.TextField(_("reason"), blank=True)
    detail = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    #: A keyed digest of the session: tells that two rows are of one session, and opens nothing.
    session = models.CharField(max_length=32, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    #: Of a row that ends something: the row that said it begins.
    begun = models.ForeignKey(
        "self", on_delete=models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="ends"
    )
    #: Everything above as one text (audit_text.py), made when the row was; the chain's marks go over it.
    canonical = models.TextField(blank=True)

    #: The row's place in the chain, its mark there, and which key made it; set once, by services/audit_sealing.py.
    number = models.BigIntegerField(null=True, unique=True, editable=False)
    mark = models.CharField(max_length=64, blank=True, editable=False)
    key = models.CharField(max_length=16, blank=True, editable=False)

    #: What `canonical` tells of.
    CANONICAL: ClassVar[tuple[str, ...]] = (
        "at",
        "user_id",
        "user_name",
        "workspace_id",
        "action",
        "object_type",
        "object_id",
        "object_name",
        "outcome",
        "reason",
        "detail",
        "address",
        "session",
        "request_id",
        "begun_id",
    )

    objects = AuditRows.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [
            models.Index(fields=["workspace", "object_type", "object_id", "-at"], name="audit_by_object"),
            models.Index(fields=["workspace", "-at", "-id"], name="audit_by_time"),
            models.Index(fields=["workspace", "action", "-at"], name="audit_by_action"),
            models.Index(fields=["workspace", "user", "-at"], name="audit_by_person"),
            models.Index(fields=["id"], condition=models.Q(number__isnull=True), name="audit_unsealed"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Adds the row. Raises AppendOnly for one that is there."""
        if not self._state.adding:
            raise AppendOnly("Rows of the audit log are not changed.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raises AppendOnly."""
        raise AppendOnly("Rows of the audit log are not deleted.")

    def told(self) -> str:
        """The canonical text of what the columns hold now; of an untouched row it is `canonical`."""
        return audit_text.text({name: getattr(self, name) for name in self.CANONICAL})


class AuditChain(models.Model):
    """The chain's head, signed, and who is sealing right now. One row, with the id 1."""

    #: The last number and mark; `signature` goes over both, so that rows cut off from the end are missed.
    number = models.BigIntegerField(default=0)
    mark = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=16, blank=True)
    signature = models.CharField(max_length=64, blank=True)
    #: The sealer's lease, on the database's clock.
    holder = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    #: When the head was last written to the process's log.
    told_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("head of the audit log")
        verbose_name_plural = _("heads of the audit log")

    def __str__(self) -> str:
        return f"{self.number}:{self.mark}"


class AuditCheckpoint(models.Model):
    """What pruning leaves: up to which number rows were removed, and the mark on which the next one builds. Signed."""

    #: The number and mark of the last row that was removed, and when that row was written.
    number = models.BigIntegerField(unique=True)
    mark = models.CharField(max_length=64)
    until = models.DateTimeField()
    #: Rows removed with this checkpoint.
    removed = models.BigIntegerField()
    made_at = models.DateTimeField()
    key = models.CharField(max_length=16)
    signature = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("checkpoint of the audit log")
        verbose_name_plural = _("checkpoints of the audit log")

    def __str__(self) -> str:
        return f"{self.number}:{self.mark}"
