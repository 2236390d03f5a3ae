"""/admin/: a read-only view of the console's own database for superusers, without secrets.

Django's admin without everything that writes or signs in. Ciphertexts, digests and passwords are not even read.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.lease import Queued
from workflows_ui.web.access import superuser

#: Parts of the names of hidden fields, in addition to a model's `sealed_fields` and binary fields.
HIDDEN = ("password", "digest", "token", "ticket", "secret", "fingerprint")
#: Fields whose columns follow the key, before the others in the model's order.
_FIRST = ("flow_name", "state")
#: Maximum columns of a list, and the fields for its search.
_COLUMNS = 8
_SEARCHED = ("username", "email", "name", "slug", "action", "object_type", "object_id", "flow_name", "request_id")
_LONG = (models.TextField, models.JSONField)
#: URLs of Django's admin that remain.
_SITE_PAGES = {"index", "app_list"}


def hidden_fields(model: type[models.Model]) -> set[str]:
    """Return the names of the fields that are never shown."""
    sealed = set(getattr(model, "sealed_fields", ()))
    return sealed | {
        field.name
        for field in model._meta.fields  # noqa: SLF001  (documented by Django as public)
        if isinstance(field, models.BinaryField) or any(part in field.name for part in HIDDEN)
    }


if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


def _cut(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    """A column of a long text: its beginning."""

    @admin.display(description=field.verbose_name, ordering=field.name)
    def value(row: Any) -> str:
        return Truncator(getattr(row, field.name)).chars(100)

    value.__name__ = field.name
    return value


class ChoicesFilter(admin.ChoicesFieldListFilter):
    """Shows the value behind a label that several values share."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        every, *others = super().choices(changelist)
        labels = Counter(label for _value, label in self.field.flatchoices)
        yield every
        for choice, (value, label) in zip(others, self.field.flatchoices, strict=False):
            yield choice | {"display": f"{label} ({value})"} if labels[label] > 1 else choice


class ReadOnlyAdmin(_ModelAdmin):
    """Read-only admin of a model: a list, and a page for each row."""

    actions = None
    list_per_page = 50
    ordering = ("-pk",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    change_list_template = "admin/rows.html"
    change_form_template = "admin/row.html"

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(sorted(hidden_fields(self.model)))

    def get_list_display(self, request: HttpRequest) -> tuple[str | Callable[[Any], Any], ...]:
        """The first columns of the model, beginning with its key and what it is about; those of a queue are the last."""
        queue = {field.name for field in Queued._meta.fields} if issubclass(self.model, Queued) else set()  # noqa: SLF001  (public)
        shown = [field for field in self._visible_fields() if not isinstance(field, _LONG) or field.name in _FIRST]
        shown.sort(key=lambda field: (not field.primary_key, field.name not in _FIRST, field.name in queue))
        return tuple(_cut(field) if isinstance(field, _LONG) else field.name for field in shown)[:_COLUMNS]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        fields = [self.opts.get_field(name) for name in self._choice_fields()]
        return [(field.name, ChoicesFilter) if getattr(field, "choices", None) else field.name for field in fields]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(field.name for field in self._visible_fields() if field.name in _SEARCHED)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Defer hidden fields, so that they are not read."""
        return super().get_queryset(request).defer(*hidden_fields(self.model))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow only the filters of the list: other lookups could reveal hidden values."""
        return lookup.split("__")[0] in self._choice_fields() and lookup.count("__") <= 1

    def get_urls(self) -> list[URLPattern]:
        kept = ("_changelist", "_change")
        return [pattern for pattern in super().get_urls() if pattern.name and pattern.name.endswith(kept)]

    def _visible_fields(self) -> "list[models.Field[Any, Any]]":
        covered = hidden_fields(self.model)
        return [field for field in self.opts.fields if field.name not in covered]

    def _choice_fields(self) -> tuple[str, ...]:
        fields = self._visible_fields()
        return tuple(field.name for field in fields if field.choices or isinstance(field, models.BooleanField))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    has_module_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


class Administration(admin.AdminSite):
    """The site: 404 for everybody except superusers; without pages for sign-in, sign-out and passwords."""

    site_header = site_title = _("Administration")
    index_title = _("Console data")
    final_catch_all_view = False
    index_template = "admin/front.html"
    app_index_template = "admin/app_models.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Guard every page: redirect to the console's sign-in, or 404."""
        return superuser(super().admin_view(view, cacheable))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        patterns = super().get_urls()
        return [pattern for pattern in patterns if isinstance(pattern, URLResolver) or pattern.name in _SITE_PAGES]


def registered() -> Sequence[type[models.Model]]:
    """Return every model of the console, and Django's groups, which are teams."""
    return [*apps.get_app_config("workflows_ui").get_models(), Group]


site = Administration()
site.register(registered(), ReadOnlyAdmin)
