"""A secret that opens a workspace: one person's own, or a team's."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workflows_ui.crypto import SealsFields
from workflows_ui.models.workspace import Workspace


class Kind(models.TextChoices):
    """What kind of secret it is; which kinds an engine takes depends on its flavour."""

    API_KEY = "api_key", _("API key")
    ACCESS_TOKEN = "access_token", _("Access token")
    JWT = "jwt", _("JWT of an organization")
    SIGN_IN = "sign_in", _("Sign-in with e-mail")
    BEARER_TOKEN = "bearer_token", _("Activepieces token")
    BEARER_SIGN_IN = "bearer_sign_in", _("Activepieces sign-in")


#: Kinds whose secret is a token that the console got by signing in for the person.
SIGNED_IN_KINDS = (Kind.SIGN_IN, Kind.BEARER_SIGN_IN)
#: Kinds whose secret goes out as a header that the engine keeps with each run (api.md 2.2): not the best for launching.
KEPT_IN_RUNS = (Kind.ACCESS_TOKEN, Kind.JWT, Kind.SIGN_IN)


class Health(models.TextChoices):
    """What the last test found."""

    WORKS = "works", _("Works")
    REFUSED = "refused", _("Refused by the engine")
    UNREACHABLE = "unreachable", _("Engine not reachable")


class Credential(SealsFields, models.Model):
    """One secret. `secret` and `password` are encrypted at rest, opened only to build a client, and shown on no page.

    Exactly one of `owner` and `team` is set. The id is made before the row is saved, since the ciphertext names it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="credentials")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="credentials"
    )
    team = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="credentials")
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    organization_id = models.CharField(_("organization"), max_length=120, blank=True)
    #: Ciphertext; see `open`.
    secret = models.TextField(_("secret"))
    #: Who signs in, of a kind that does; and their password, a ciphertext, only where they want it kept so that the token renews itself.
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    password = models.TextField(_("password"), blank=True)
    #: When the secret ends, where that is known: from the engine's answer, or from what a JWT says of itself.
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    #: When a new token is next fetched, and until when a worker has that in hand; empty where nothing renews it.
    renew_at = models.DateTimeField(null=True, blank=True)
    renew_until = models.DateTimeField(null=True, blank=True)
    renew_failures = models.PositiveIntegerField(default=0)
    #: Why the last renewal failed, as a word of services.probe.Code; empty where it did not.
    renew_problem = models.CharField(max_length=40, blank=True)
    health = models.CharField(_("health"), max_length=20, choices=Health, blank=True)
    #: What the last test found, as plain values: who, organization, project, version, round_trip_ms, problem. Never a secret.
    findings = models.JSONField(default=dict, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    #: When it is next tested by itself, and until when a worker has that in hand.
    test_at = models.DateTimeField(null=True, blank=True)
    test_until = models.DateTimeField(null=True, blank=True)
    #: When the secret was last replaced by another.
    replaced_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("secret", "password")

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        indexes = [
            models.Index(fields=["renew_at"], condition=Q(renew_at__isnull=False), name="credential_to_renew"),
            models.Index(fields=["test_at"], name="credential_to_test"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(owner__isnull=False, team__isnull=True) | Q(owner__isnull=True, team__isnull=False),
                name="credential_is_a_persons_or_a_teams",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def usable(self, now: datetime) -> bool:
        """Whether it can be expected to work: not refused when it was last tested, and not ended."""
        return self.health != Health.REFUSED and (self.ends_at is None or self.ends_at > now)


class CredentialSecret(SealsFields, models.Model):
    """A secret that another one took the place of: kept for a while for one click back, then emptied (the row stays as a record)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="previous")
    kind = models.CharField(max_length=20, choices=Kind)
    organization_id = models.CharField(max_length=120, blank=True)
    #: Ciphertexts; empty once destroyed.
    secret = models.TextField(blank=True)
    email = models.CharField(max_length=254, blank=True)
    password = models.TextField(blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    #: When it was put aside and by whom, until when it is kept, and when it was destroyed.
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


class CredentialReminder(models.Model):
    """That somebody was told of a credential's end, so that nobody is told twice."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="reminders")
    #: How many days before the end, and which end: a renewed secret has another.
    days = models.PositiveIntegerField()
    ends_at = models.DateTimeField()
    sent_at = models.DateTimeField()

    class Meta:
        verbose_name = _("reminder of a credential")
        verbose_name_plural = _("reminders of credentials")
        constraints = [
            models.UniqueConstraint(fields=["credential", "days", "ends_at"], name="reminded_once"),
        ]

    def __str__(self) -> str:
        return f"{self.credential_id} {self.days}"
