"""/admin/: the state of the whole console, and a read-only view of its database, for superusers, who may be members of no workspace.

The first page is administration_page.py. The lists and rows are Django's admin without everything that writes or signs in. Only the columns
of `ALLOWED` and those without text are read: no inputs and answers, also where they are stored as plain text for a search, no ciphertexts,
digests and passwords.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.lease import Queued
from workflows_ui.web import administration_page, stored_data
from workflows_ui.web.access import superuser

#: The columns of text, JSON and large numbers that are shown, by model; also keyed digests and ciphertexts are left out by not being
#: here. None of them may hold inputs or answers of launches and runs, messages of engines, or texts that people wrote, except names.
ALLOWED: Mapping[str, frozenset[str]] = {
    f"workflows_ui.{model}": frozenset(columns.split())
    for model, columns in {
        "user": "username first_name last_name email language last_language time_zone mail_delivery",
        "identity": "issuer subject",
        "passkeycounter": "counter",
        "workspace": "slug name colour flavour environment address organization_id project_id project_name engine_version",
        "member": "role",
        "teamprofile": "description",
        "colleagueinvitation": "email role",
        "launchright": "flow_id flow_name",
        "credential": "name kind organization_id email renew_problem health",
        "credentialsecret": "kind organization_id email",
        "capability": "name state code",
        "runindex": "words_left version past_version trouble",
        "indexedkind": "kind trouble",
        "indexedobject": "kind object_id name state folder_id live_version",
        "objectuse": "kind step",
        "indexedrun": "run_id flow_id version_id flow_name status duration failed_step parent_id triggered_by",
        "flowrhythm": "flow_id name state cron zone",
        "alarm": "kind flow_id flow_name end",
        "defaultwatch": "kind",
        "alarmmute": "kind flow_id flow_name",
        "alarmchannel": "name shape host language",
        "alarmdelivery": "event trouble",
        "auditevent": "user_name action object_type object_id object_name outcome address request_id subject_type subject_id"
        " number key",
        "auditchain": "number key holder",
        "auditcheckpoint": "number removed key",
        "deletedobject": "kind object_id name state restored_id",
        "failurepattern": "flow_id step",
        "failurerule": "kind flow_id flow_name stopped handler_id handler_name",
        "failure": "key flow_id flow_name run_id parent_id step",
        "failureaction": "state reason",
        "flowedit": "flow_id operation state",
        "job": "kind resource action language state reason bytes format",
        "jobitem": "object_id state reason",
        "launchform": "flow_id flow_name",
        "savedinputs": "flow_id name",
        "launch": "flow_id flow_name state reason flow_version answer_from run_id run_status",
        "follow": "trouble",
        "note": "subject object_id",
        "notice": "kind",
        "watch": "kind object_id name",
        "mute": "topic flow_id",
        "favourite": "flow_id flow_name",
        "savedview": "list_path name",
        "listchoice": "list_path",
    }.items()
} | {"auth.group": frozenset({"name"})}
#: Fields whose columns follow the key, before the others in the model's order.
_FIRST = ("flow_name", "state")
#: Maximum columns of a list, and the fields for its search.
_COLUMNS = 8
_SEARCHED = ("username", "email", "name", "slug", "action", "object_type", "object_id", "flow_name", "request_id")
_LONG = (models.TextField, models.JSONField)
#: URLs of Django's admin that remain.
_SITE_PAGES = {"index", "app_list"}
#: The element of the first page in whose folded part the lists are; browsers unfold it for its address.
ROWS = "stored-rows"


#: Types of columns that hold no text. Of numbers, only large ones can stand for a text: they are keyed hashes of words.
_PLAIN = (
    models.AutoField,
    models.BooleanField,
    models.DateField,
    models.DurationField,
    models.FloatField,
    models.ForeignKey,
    models.IntegerField,
    models.TimeField,
    models.UUIDField,
)


def hidden_fields(model: type[models.Model]) -> set[str]:
    """The names of the fields that are never shown: all except the key, columns without text, and those of `ALLOWED`."""
    allowed = ALLOWED.get(model._meta.label_lower, frozenset())  # noqa: SLF001  (documented by Django as public)
    return {
        field.name
        for field in model._meta.fields  # noqa: SLF001
        if not (field.primary_key or field.name in allowed or _is_plain(field))
    }


def _is_plain(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, _PLAIN) and not isinstance(field, models.BigIntegerField)


if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


def _cut(field: "models.Field[Any, Any]") -> Callable[[object], object]:
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

    def get_exclude(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
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
        names = ("_changelist", "_change")
        return [pattern for pattern in super().get_urls() if pattern.name and pattern.name.endswith(names)]

    def _visible_fields(self) -> "list[models.Field[Any, Any]]":
        covered = hidden_fields(self.model)
        return [field for field in self.opts.fields if field.name not in covered]

    def _choice_fields(self) -> tuple[str, ...]:
        fields = self._visible_fields()
        return tuple(field.name for field in fields if field.choices or isinstance(field, models.BooleanField))

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    has_module_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


class Administration(admin.AdminSite):
    """The site: 404 for everybody except superusers; without pages for sign-in, sign-out and passwords."""

    site_header = site_title = index_title = _("Administration")
    final_catch_all_view = False
    index_template = "admin/front.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Guard every page: redirect to the console's sign-in, or 404."""
        return superuser(super().admin_view(view, cacheable))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        page = administration_page.context(request.user) if request.user.is_authenticated else {}
        features = stored_data.features(self._registry)
        return super().index(request, {**page, "features": features, **(extra_context or {})})

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: object = None
    ) -> HttpResponseRedirect:
        """Redirect to the stored data on the first page."""
        return HttpResponseRedirect(f"{reverse('admin:index')}#{ROWS}")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        patterns = super().get_urls()
        return [pattern for pattern in patterns if isinstance(pattern, URLResolver) or pattern.name in _SITE_PAGES]


def registered() -> Sequence[type[models.Model]]:
    """Every model of the console, and Django's groups, which are teams."""
    return [*apps.get_app_config("workflows_ui").get_models(), Group]


site = Administration()
site.register(registered(), ReadOnlyAdmin)
