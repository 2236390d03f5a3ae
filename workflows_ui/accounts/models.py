"""People who sign in, their identities at the provider of single sign-on, their browsers, and the counters of their passkeys."""

import zoneinfo
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.audit.objects import AuditedObject


class MailDelivery(models.TextChoices):
    AT_ONCE = "at_once", _("Immediately")
    DAILY = "daily", _("Once a day, in one email")
    NONE = "none", _("No emails")


class User(AbstractUser):
    """A local account. Language and time zone are empty until the person chooses; the console's defaults apply then."""

    language = models.CharField(_("language"), max_length=10, blank=True)
    #: The language of the last page, for mails to people who have not chosen a language.
    last_language = models.CharField(max_length=10, blank=True, editable=False)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    #: Whether and when notifications are also sent by mail.
    mail_delivery = models.CharField(
        _("notifications by email"), max_length=10, choices=MailDelivery, default=MailDelivery.AT_ONCE
    )
    #: The hour of the daily digest, in the person's time zone.
    digest_hour = models.PositiveSmallIntegerField(
        _("time of the daily email"), default=8, validators=[MaxValueValidator(23)]
    )
    #: Quiet hours in the person's time zone: mails of notifications wait until their end. Both or neither.
    quiet_from = models.TimeField(_("quiet hours from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet hours until"), null=True, blank=True)
    #: Set by the worker that sends a daily digest, so that no other one sends it.
    digested_at = models.DateTimeField(null=True, editable=False)

    #: Incremented to end all sessions of the person at once: older sessions become invalid.
    session_generation = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        pass

    def get_session_auth_hash(self) -> str:
        """The hash that a valid session contains: of the current password, with the generation."""
        return self._with_generation(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the same hash for each of SECRET_KEY_FALLBACKS."""
        for session_hash in super().get_session_auth_fallback_hash():
            yield self._with_generation(session_hash)

    def _with_generation(self, session_hash: str) -> str:
        return f"{session_hash}.{self.session_generation}" if self.session_generation else session_hash

    @property
    def mail_language(self) -> str:
        """The language of mails to the person: the chosen one, else that of the last page, else the console's."""
        languages = dict(settings.LANGUAGES)
        return next(
            (language for language in (self.language, self.last_language) if language in languages),
            settings.LANGUAGE_CODE,
        )

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The person's time zone, or the console's if it is empty or no longer exists."""
        try:
            return zoneinfo.ZoneInfo(self.time_zone or settings.TIME_ZONE)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return zoneinfo.ZoneInfo(settings.TIME_ZONE)

    @property
    def label(self) -> str:
        """The name shown to colleagues: the full name, else the user name."""
        return self.get_full_name() or self.username

    def audited_object(self) -> AuditedObject:
        return AuditedObject(None, object_type="person", object_id=str(self.pk), object_name=self.label)


class Identity(models.Model):
    """An account at the provider (`issuer` and `subject`, which never change) and its person here."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(_("provider"), max_length=500)
    subject = models.CharField(_("account at the provider"), max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="one_person_an_identity")]

    def __str__(self) -> str:
        return f"{self.subject} ({self.issuer})"


class KnownBrowser(models.Model):
    """One browser of one person. `digest` is of its cookie and the password: after a password change the browser is unknown."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField()

    class Meta:
        verbose_name = _("known browser")
        verbose_name_plural = _("known browsers")
        indexes = [models.Index(fields=["user", "-used_at"], name="known_browsers_of_person")]

    def __str__(self) -> str:
        return f"{self.user}: {self.used_at:%Y-%m-%d}"


class PasskeyCounter(models.Model):
    """The signature counter of a passkey at its last accepted use. 0 for one that does not count, as those synchronized between devices."""

    authenticator = models.OneToOneField(
        "mfa.Authenticator", on_delete=models.CASCADE, primary_key=True, related_name="passkey_counter"
    )
    counter = models.BigIntegerField()

    class Meta:
        verbose_name = _("passkey counter")
        verbose_name_plural = _("passkey counters")

    def __str__(self) -> str:
        return f"{self.authenticator_id}: {self.counter}"
