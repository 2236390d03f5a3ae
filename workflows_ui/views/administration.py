"""/admin/: every row of the console's own database, for superusers, to look at. Nothing can be changed there, and no secret is in it.

Django's admin with everything taken out that writes or signs in. Ciphertexts, digests and passwords are not even read.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from workflows_ui.kit.access import superuser

#: Fields that are not shown, by a part of their names; beside what a model seals (`sealed_fields`) and everything binary.
HIDDEN = ("password", "digest", "token", "ticket", "secret", "fingerprint")
#: Columns of a list, and the fields that its search looks into, where there are such.
_COLUMNS = 8
_SEARCHED = ("username", "email", "name", "slug", "action", "object_type", "object_id", "flow_name", "request_id")
_LONG = (models.TextField, models.JSONField)
#: Addresses of Django's admin that stay: looking, and nothing else.
_SITE_PAGES = {"index", "app_list"}


def hidden(model: type[models.Model]) -> set[str]:
    """Names of the fields that no page of this site shows."""
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


class Looking(_ModelAdmin):
    """A model to look at: a list and a page for each row, everything read-only."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False
    change_form_template = "admin/row.html"

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What is not shown."""
        return tuple(sorted(hidden(self.model)))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """The first short fields."""
        return tuple(field.name for field in self._shown() if not isinstance(field, _LONG))[:_COLUMNS]

    def get_list_filter(self, request: HttpRequest) -> tuple[str, ...]:
        """Fields with few values."""
        return self._few()

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Names, and what an audit row is about."""
        return tuple(field.name for field in self._shown() if field.name in _SEARCHED)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The newest first."""
        return ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows without the fields that are not shown."""
        return super().get_queryset(request).defer(*hidden(self.model))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the list's own filters ask for: by other fields an address could find out what is not shown."""
        return lookup.split("__")[0] in self._few() and lookup.count("__") <= 1

    def get_urls(self) -> list[URLPattern]:
        """The list, and the page of a row."""
        kept = ("_changelist", "_change")
        return [one for one in super().get_urls() if one.name and one.name.endswith(kept)]

    def _shown(self) -> "list[models.Field[Any, Any]]":
        covered = hidden(self.model)
        return [field for field in self.opts.fields if field.name not in covered]

    def _few(self) -> tuple[str, ...]:
        fields = self._shown()
        return tuple(field.name for field in fields if field.choices or isinstance(field, models.BooleanField))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever comes this far is a superuser."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The same."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class Administration(admin.AdminSite):
    """The site: whoever is no superuser finds nothing here; signing in and out, and passwords, are the console's own pages."""

    site_header = site_title = _("Administration")
    index_title = _("What the console keeps")
    final_catch_all_view = False
    index_template = "admin/front.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return bool(request.user.is_active and request.user.is_superuser)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page of the site: led to our sign-in, or told that there is nothing."""
        return superuser(super().admin_view(view, cacheable))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Only what shows something."""
        found = super().get_urls()
        return [one for one in found if isinstance(one, URLResolver) or one.name in _SITE_PAGES]


def registered() -> Sequence[type[models.Model]]:
    """Every model of the console, and teams, which are Django's groups."""
    return [*apps.get_app_config("workflows_ui").get_models(), Group]


site = Administration()
site.register(registered(), Looking)

urlpatterns = [path("admin/", site.urls)]
