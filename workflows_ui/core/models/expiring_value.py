"""Small values that are kept for minutes: counted attempts, one-use codes and tickets, a sign-in that waits for a choice."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ExpiringValue(models.Model):
    """One value until it expires. `core/caching.py` reads and writes these rows, as Django's default cache.

    `key` is a keyed digest, because a cache key may contain a user name or a one-time code. `value` is JSON and never a pickle: with a
    pickle, anyone who can write to the database could run code here. Callers seal secrets, with the cache key as the context; a
    rotation of the keys does not re-seal them.
    """

    key = models.CharField(max_length=64, primary_key=True)
    value = models.TextField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("expiring value")
        verbose_name_plural = _("expiring values")

    def __str__(self) -> str:
        return self.key[:8]
