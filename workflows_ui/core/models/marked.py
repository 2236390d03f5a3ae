"""Rows with a mark that proves that the console wrote them (crypto.mark)."""

from typing import Any

from django.db import models

from workflows_ui.core import crypto


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
