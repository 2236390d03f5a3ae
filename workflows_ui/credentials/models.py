"""Credentials of people for workspaces, which they may share with teams, and the capabilities of engines."""

import uuid
from datetime import datetime
from typing import ClassVar, Protocol

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workflows_ui.audit.objects import AuditedObject
from workflows_ui.core import crypto
from workflows_ui.core.crypto import NotEntered, SealsFields
from workflows_ui.core.lease import Lease
from workflows_ui.core.states import StateChoices
from workflows_ui.members.models import Placed, Workspace, place


class CredentialKind(models.TextChoices):
    """The kind of a secret. The flavour of an engine determines its kinds."""

    API_KEY = "api_key", _("API key")
    ACCESS_TOKEN = "access_token", _("Access token")
    JWT = "jwt", _("JWT of an organization")
    SIGN_IN = "sign_in", _("Sign-in with email")
    BEARER_TOKEN = "bearer_token", _("Activepieces token")
    BEARER_SIGN_IN = "bearer_sign_in", _("Activepieces sign-in")


#: Kinds whose secret is a token from a sign-in that the console made for the person.
SIGNED_IN_KINDS = (CredentialKind.SIGN_IN, CredentialKind.BEARER_SIGN_IN)
#: Kinds whose secret is sent as a header that the engine keeps with each run (api.md 2.2): not the best for launching.
KEPT_IN_RUNS = (CredentialKind.ACCESS_TOKEN, CredentialKind.JWT, CredentialKind.SIGN_IN)


class Health(StateChoices):
    """The result of the last test."""

    WORKS = "works", "circle-check", "green", _("Works")
    REFUSED = "refused", "circle-x", "red", _("Refused by the engine")
    UNREACHABLE = "unreachable", "unplug", "orange", _("Engine not reachable")


class Credential(SealsFields, models.Model):
    """A credential. `secret` and `password` are encrypted at rest, opened only to build a client, and shown on no page.

    Both are bound to their destination and owner (`bound_values`). The id is generated before the row is saved, since the ciphertext
    contains it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="credentials")
    #: Sharing does not change the owner.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="credentials")
    #: Whether the owner took it over from somebody who left, and it still has that person's secret: it acts for the teams that it was
    #: shared with, never for its owner.
    taken_over = models.BooleanField(default=False)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=CredentialKind)
    organization_id = models.CharField(_("organization"), max_length=120, blank=True)
    #: Ciphertext; see `open`. Empty if it must be entered again because the workspace moved.
    secret = models.TextField(_("secret"), blank=True)
    #: For kinds that sign in: the user, and the password, a ciphertext, only if the person wants it stored for renewals of the token.
    email = models.CharField(_("email"), max_length=254, blank=True)
    password = models.TextField(_("password"), blank=True)
    #: The end of the secret, if known: from the engine's answer or the claims of a JWT.
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    #: The time of the next renewal, and the end of the lease of a running one; empty without renewal.
    renew_at = models.DateTimeField(null=True, blank=True)
    renew_until = models.DateTimeField(null=True, blank=True)
    renew_failures = models.PositiveIntegerField(default=0)
    #: The reason that the last renewal failed, a value of credentials.services.credential_tests.Code; empty if it did not fail.
    renew_problem = models.CharField(max_length=40, blank=True)
    health = models.CharField(_("health"), max_length=20, choices=Health, blank=True)
    #: The result of the last test, as plain values: who, organization, project, version, round_trip_ms, problem. Never a secret.
    findings = models.JSONField(default=dict, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    #: The time of the next scheduled test, and the end of the lease of a running one.
    test_at = models.DateTimeField(null=True, blank=True)
    test_until = models.DateTimeField(null=True, blank=True)
    #: The time of the last replacement of the secret.
    replaced_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: A keyed digest of the last change outside of the console that was audited.
    refused = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("secret", "password")
    renewal: ClassVar[Lease] = Lease("renew_until")
    scheduled_test: ClassVar[Lease] = Lease("test_until")

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        indexes = [
            models.Index(fields=["renew_at"], condition=Q(renew_at__isnull=False), name="credential_to_renew"),
            models.Index(fields=["test_at"], name="credential_to_test"),
        ]

    def __str__(self) -> str:
        return self.name

    def audited_object(self) -> AuditedObject:
        return AuditedObject(self.workspace, object_type="credential", object_id=str(self.pk), object_name=self.name)

    def bound_values(self) -> dict[str, str | int | None]:
        """The destination, kind and owner of the secret. Select the workspace with the row."""
        return binding(self, self.workspace, self.owner_id)

    def seal(self, field: str, value: str) -> str:
        """As in SealsFields. Raises crypto.PlaceChanged: no secret is bound to a workspace that was changed."""
        self.workspace.require_genuine()
        return super().seal(field, value)

    def open(self, field: str) -> str:
        """As in SealsFields. Raises crypto.CannotOpen or one of its subclasses Changed, PlaceChanged, NotEntered."""
        self.workspace.require_genuine()
        if field == "secret" and not self.secret:
            raise NotEntered(str(self.pk))
        return super().open(field)

    def is_own(self, user_id: int) -> bool:
        """Whether it acts for a person as their own: one that they took over does not."""
        return self.owner_id == user_id and not self.taken_over

    def usable(self, now: datetime) -> bool:
        """Whether the credential probably works: it was not refused in the last test and has not ended."""
        return self.health != Health.REFUSED and (self.ends_at is None or self.ends_at > now)


class Binds(Protocol):
    """A credential or a replaced secret, also of a migration's historical model."""

    kind: str
    organization_id: str
    email: str


def binding(row: Binds, workspace: Placed, owner_id: int) -> dict[str, str | int | None]:
    """The values that the ciphertexts of a credential and of its replaced secrets are bound to."""
    return {
        "workspace": workspace.pk,
        **place(workspace),
        "kind": str(row.kind),
        "organization": row.organization_id,
        "email": row.email,
        "owner": owner_id,
    }


class CredentialShare(SealsFields, models.Model):
    """A credential is shared with a team, or its owner is asked for it: such a row has no mark and no effect until the owner agrees.

    A row without a valid mark, written to the database directly, has no effect either.
    """

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="shares")
    team = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="credential_shares")
    shared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: The time of the sharing, or of the request.
    shared_at = models.DateTimeField()
    #: When the owner at that time shared it or agreed; empty while they are asked.
    consented_at = models.DateTimeField(null=True, blank=True)
    #: crypto.mark of `place_of`. It does not contain the row's id, which does not exist before the row is saved.
    mark = models.TextField(blank=True, editable=False)

    sealed_fields: ClassVar[tuple[str, ...]] = ("mark",)

    class Meta:
        verbose_name = _("sharing of a credential")
        verbose_name_plural = _("sharings of credentials")
        constraints = [models.UniqueConstraint(fields=["credential", "team"], name="shared_once")]

    def __str__(self) -> str:
        return f"{self.credential_id} {self.team_id}"

    @staticmethod
    def place_of(credential_id: uuid.UUID, team_id: int) -> str:
        context = f"workflows_ui.credentialshare:{credential_id}:mark"
        return crypto.bind(context, {"credential": str(credential_id), "team": team_id})

    @property
    def genuine(self) -> bool:
        """Whether the console wrote it."""
        return crypto.is_mark(self.mark, self.place_of(self.credential_id, self.team_id))


class CredentialSecret(SealsFields, models.Model):
    """A replaced secret: kept for a limited time to restore it, then emptied (the row remains as a record)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="previous")
    kind = models.CharField(max_length=20, choices=CredentialKind)
    organization_id = models.CharField(max_length=120, blank=True)
    #: Credential.taken_over, for this secret.
    taken_over = models.BooleanField(default=False)
    #: Ciphertexts; empty once destroyed.
    secret = models.TextField(blank=True)
    email = models.CharField(max_length=254, blank=True)
    password = models.TextField(blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    #: The time and the person of the replacement, the end of the time to keep it, and the time of its destruction.
    replaced_at = models.DateTimeField()
    replaced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    keep_until = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True, blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("secret", "password")

    class Meta:
        verbose_name = _("replaced secret")
        verbose_name_plural = _("replaced secrets")
        indexes = [
            models.Index(
                fields=["keep_until"], condition=Q(destroyed_at__isnull=True), name="credential_secret_kept_until"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def bound_values(self) -> dict[str, str | int | None]:
        """The credential's values, with this row's kind and the credential's id."""
        values = binding(self, self.credential.workspace, self.credential.owner_id)
        return values | {"credential": str(self.credential_id)}


class CredentialReminder(models.Model):
    """A sent reminder of a credential's end, so that none is sent twice."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="reminders")
    #: The days before the end, and the end, which differs for a renewed secret.
    days = models.PositiveIntegerField()
    ends_at = models.DateTimeField()
    sent_at = models.DateTimeField()

    class Meta:
        verbose_name = _("reminder of a credential")
        verbose_name_plural = _("reminders of credentials")
        constraints = [models.UniqueConstraint(fields=["credential", "days", "ends_at"], name="reminded_once")]

    def __str__(self) -> str:
        return f"{self.credential_id} {self.days}"


class Ability(StateChoices):
    """Whether the engine has a capability; unknown until it was detected, and if only the credential was refused."""

    YES = "yes", "circle-check", "green", _("Yes")
    NO = "no", "circle-minus", "secondary", _("This engine does not have it")
    NOT_IN_PLAN = "not_in_plan", "lock", "orange", _("Not in the engine's plan")
    UNKNOWN = "unknown", "circle-question-mark", "secondary", _("Not known")


class Capability(models.Model):
    """The last known state of a capability. Names: credentials.services.capabilities.NAMES."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="capabilities")
    name = models.CharField(max_length=40)
    state = models.CharField(max_length=20, choices=Ability, default=Ability.UNKNOWN)
    #: The HTTP status of the answer that showed the state, and the engine's code if it had one.
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=60, blank=True)
    checked_at = models.DateTimeField()
    #: The credential with which it was detected; None if that is deleted.
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("capability")
        verbose_name_plural = _("capabilities")
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_row_a_capability")]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class Inspection(models.Model):
    """The next inspection of a workspace's engine, and the lease of a running one. One row for each workspace."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="inspection")
    due_at = models.DateTimeField(db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: The credential to use first, which was tested just now. None: any of the workspace's.
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    looked_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)

    lease: ClassVar[Lease] = Lease()

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")

    def __str__(self) -> str:
        return str(self.workspace_id)
