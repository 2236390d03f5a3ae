"""Models that several features share."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import crypto


class ExpiringValue(models.Model):
    """A small value that is kept for minutes: a counted attempt, a one-use code or ticket.

    `core/caching.py` reads and writes these rows, as Django's default cache.
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


class Marked(crypto.SealsFields, models.Model):
    """A row whose `mark` is bound to values that must not be changed in the database.

    A new row is marked when it is saved; an existing row keeps its mark, so that a changed one is not `genuine`.
    """

    mark = models.TextField(blank=True, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Mark a new row; if its id comes from the database, after the INSERT."""
        new, numbered = self._state.adding, self.pk is None
        if new and not numbered:
            self.mark = self.new_mark()
        super().save(*args, **kwargs)
        if new and numbered:
            self.mark = self.new_mark()
            type(self)._default_manager.filter(pk=self.pk).update(mark=self.mark)  # noqa: SLF001

    def mark_context(self) -> str:
        """The context of the mark, with the values that must not change."""
        return self._context("mark")

    def new_mark(self) -> str:
        """A mark for the row's current values. Only for code that has checked them."""
        return crypto.mark(self.mark_context())

    @property
    def genuine(self) -> bool:
        """Whether the marked values are as the console wrote them."""
        return crypto.is_mark(self.mark, self.mark_context())
