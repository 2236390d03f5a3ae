"""The audit log: who did what to which object, when and with what outcome. Rows are append-only and chained by a keyed digest.

A database trigger rejects every update of a row, and every deletion except behind a checkpoint (migration `0001_version_1`).
"""

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows_ui.audit import canonical_text
from workflows_ui.core.lease import Lease

#: The outcome of a row that announces a write to the engine; another row, linked by `begun`, records its end.
BEGUN = "begun"


class AppendOnly(TypeError):
    """An attempt to change or delete a row of the audit log."""


class AuditRows(models.QuerySet["AuditEvent"]):
    """A query set whose methods for updates and deletions raise AppendOnly."""

    def update(self, **_values: object) -> NoReturn:
        raise AppendOnly("Rows of the audit log are not changed.")

    def bulk_update(self, *_arguments: object, **_options: object) -> NoReturn:
        raise AppendOnly("Rows of the audit log are not changed.")

    def delete(self) -> NoReturn:
        raise AppendOnly(
            "Rows of the audit log are not deleted; audit/services/hash_chain.py removes what is past its time."
        )


class AuditEvent(models.Model):
    """One row of the log. `detail` holds plain values with secrets masked. Created by audit/services/audit_log.py only."""

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("person")
    )
    #: The person's name and user name at that moment: people are renamed.
    user_name = models.TextField(blank=True)
    workspace = models.ForeignKey("workflows_ui.Workspace", on_delete=models.PROTECT, null=True, related_name="+")
    #: noun.verb, such as launch.ask or credential.add.
    action = models.CharField(_("action"), max_length=60)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=120, blank=True)
    object_name = models.TextField(blank=True)
    outcome = models.CharField(_("outcome"), max_length=20)
    #: The reason that the person entered, where the form has a field for it.
    reason = models.TextField(_("reason"), blank=True)
    detail = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    #: A keyed digest of the session: identifies rows of one session, and grants no access.
    session = models.CharField(max_length=32, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    #: For a row that records an end: the row of the beginning.
    begun = models.ForeignKey(
        "self", on_delete=models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="ends"
    )
    #: A second object that the row belongs to, so that the object's history finds it: the flow of a launch, the job of one of its items,
    #: what an action created. NULL, so that no migration rebuilds the table. Canonical texts of version 1 do not have it.
    subject_type = models.CharField(max_length=40, null=True, editable=False)  # noqa: DJ001
    subject_id = models.CharField(max_length=120, null=True, editable=False)  # noqa: DJ001
    #: The fields from `at` to `subject_id` as one text (canonical_text.py), created with the row; the input of the chain's digests.
    canonical = models.TextField(blank=True)

    #: The row's position in the chain, its digest and the id of the key; set once, by audit/services/hash_chain.py.
    number = models.BigIntegerField(null=True, unique=True, editable=False)
    mark = models.CharField(max_length=64, blank=True, editable=False)
    key = models.CharField(max_length=16, blank=True, editable=False)

    #: The fields that files have under the same names.
    EXPORTED: ClassVar[tuple[str, ...]] = (
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
    )
    #: The fields in `canonical`.
    CANONICAL: ClassVar[tuple[str, ...]] = (
        "at",
        "user_id",
        "user_name",
        "workspace_id",
        *EXPORTED,
        "begun_id",
        "subject_type",
        "subject_id",
    )

    objects = AuditRows.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [
            models.Index(fields=["workspace", "object_type", "object_id", "-at"], name="audit_by_object"),
            models.Index(
                fields=["workspace", "subject_type", "subject_id", "-at"],
                name="audit_by_subject",
                condition=models.Q(subject_type__isnull=False),
            ),
            models.Index(fields=["workspace", "-at", "-id"], name="audit_by_time"),
            models.Index(fields=["workspace", "action", "-at"], name="audit_by_action"),
            models.Index(fields=["workspace", "user", "-at"], name="audit_by_person"),
            models.Index(fields=["id"], condition=models.Q(number__isnull=True), name="audit_unsealed"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("Rows of the audit log are not changed.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnly("Rows of the audit log are not deleted.")

    def compute_canonical(self) -> str:
        """The canonical text of the current columns, in the version of `canonical`, which it equals if the row is unchanged."""
        values = {name: getattr(self, name) for name in self.CANONICAL}
        return canonical_text.text(values, canonical_text.version(self.canonical))


class AuditChain(models.Model):
    """The signed head of the chain and the lease of the sealer. One row, with the id 1."""

    #: The last number and digest; `signature` covers both, so that a truncated end is detected.
    number = models.BigIntegerField(default=0)
    mark = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=16, blank=True)
    signature = models.CharField(max_length=64, blank=True)
    #: The sealer's lease, by the clock of the database.
    holder = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    #: When the head was last written to the application log.
    told_at = models.DateTimeField(null=True)

    lease: ClassVar[Lease] = Lease(owner="holder")

    class Meta:
        verbose_name = _("head of the audit log")
        verbose_name_plural = _("heads of the audit log")

    def __str__(self) -> str:
        return f"{self.number}:{self.mark}"


class AuditCheckpoint(models.Model):
    """The signed result of a pruning: the last removed number, and the digest on which the next row builds."""

    #: The number and digest of the last removed row, and the latest time of the removed rows.
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
