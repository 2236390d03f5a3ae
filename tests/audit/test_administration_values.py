"""/admin/ shows no text that a person or an engine wrote, except in the columns that web/administration.py allows."""

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection, models
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from tests.stub_engine import text
from tests.users import browser, person
from workflows_ui.accounts.models import User
from workflows_ui.alarms.models import Alarm
from workflows_ui.audit.models import AuditEvent
from workflows_ui.jobs.models import Job
from workflows_ui.launches.models import Launch, LaunchFile, LaunchInput, LaunchText
from workflows_ui.notifications.models import Notice
from workflows_ui.run_index.models import IndexedRun, RunText
from workflows_ui.web.administration import ALLOWED, registered, site

pytestmark = pytest.mark.django_db
#: Columns whose values may come from inputs or answers of runs, or from an engine's messages. Nobody may allow one of them.
NEVER: dict[type[models.Model], set[str]] = {
    Alarm: {"facts"},
    AuditEvent: {"canonical", "detail", "reason"},
    IndexedRun: {"message", "tags"},
    Job: {"affected", "data", "filters", "filters_told", "technical"},
    Launch: {"answer", "answer_location", "failed_step", "failure", "payload", "technical"},
    LaunchFile: {"data", "key", "name"},
    LaunchInput: {"label", "text"},
    LaunchText: {"text"},
    Notice: {"about", "url"},
    RunText: {"text"},
}


class Planter:
    """Creates one row of each model, in which every column of text, JSON or bytes has a value of its own."""

    def __init__(self) -> None:
        self.rows: dict[type[models.Model], models.Model] = {}
        #: The model and the name of the column of each planted value.
        self.columns: dict[str, tuple[type[models.Model], str]] = {}

    def row(self, model: type[models.Model]) -> models.Model:
        if model not in self.rows:
            row = model(**{field.name: value for field, value in self._values(model)})
            models.Model.save_base(row, raw=True, force_insert=True)
            self.rows[model] = row
        return self.rows[model]

    def _values(self, model: type[models.Model]) -> Iterator[tuple["models.Field[Any, Any]", Any]]:
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey):
                # A row is a person's or a team's, and a form is saved before its versions.
                if field.related_model is not model and not (
                    field.null and field.name in {"team", "invitation", "published"}
                ):
                    yield field, self.row(field.related_model)
            elif not isinstance(field, models.AutoField):
                yield field, self._value(model, field)

    def _value(self, model: type[models.Model], field: "models.Field[Any, Any]") -> Any:
        if isinstance(field, (models.CharField, models.TextField, models.JSONField, models.BinaryField)):
            value = f"Zq{len(self.columns):03}x"
            if (field.max_length or 6) < 6:
                return ""
            self.columns[value] = model, field.name
            if isinstance(field, models.JSONField):
                return {value: value}
            return value.encode() if isinstance(field, models.BinaryField) else value
        if isinstance(field, models.GenericIPAddressField):
            return "10.0.0.9"
        if isinstance(field, models.DateTimeField):
            return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        if isinstance(field, models.TimeField):
            return datetime.time(1)
        if isinstance(field, models.BooleanField):
            return False
        return uuid.UUID(int=1) if isinstance(field, models.UUIDField) else 1


@pytest.fixture
def planter() -> Planter:
    found = Planter()
    with connection.constraint_checks_disabled():
        for model in registered():
            found.row(model)
    return found


@pytest.fixture
def looker(planter: Planter) -> Client:
    who = person("looker")
    User.objects.filter(pk=who.pk).update(is_superuser=True)
    who.refresh_from_db()
    return browser(who)


def _addresses(row: models.Model) -> Iterator[str]:
    model = type(row)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    found, page = reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])
    yield from (found, f"{found}?q=Zq", page)
    yield from (f"{page.removesuffix('change/')}{rest}/" for rest in ("history", "delete"))


def _allowed(model: type[models.Model], column: str) -> bool:
    return column in ALLOWED.get(model._meta.label_lower, ()) or column == model._meta.pk.name


@pytest.mark.slow
def test_no_list_and_no_row_shows_a_value_that_is_not_allowed(planter: Planter, looker: Client) -> None:
    leaks, seen = set(), set()
    for registered_model in registered():
        for address in _addresses(planter.rows[registered_model]):
            page = text(looker.get(address, follow=True).content)
            for value, (model, column) in planter.columns.items():
                if value in page:
                    seen.add(value)
                    if model in registered() and not _allowed(model, column):
                        leaks.add(f"{model.__name__}.{column} at {address}")
    assert sorted(leaks) == []
    assert len(seen) > 50


@pytest.mark.slow
def test_a_search_or_a_filter_cannot_guess_a_value_that_is_not_allowed(planter: Planter, looker: Client) -> None:
    guessed = set()
    for value, (model, column) in planter.columns.items():
        if model in registered() and not _allowed(model, column):
            address = next(_addresses(planter.rows[model]))
            searched = site._registry[model].get_search_fields(HttpRequest())
            if searched and looker.get(address, {"q": value}).context["cl"].result_count:
                guessed.add(f"{model.__name__}.{column}")
            answer = looker.get(address, {f"{column}__startswith": value})
            if answer.status_code != 400 and not answer.headers.get("Location", "").endswith("?e=1"):
                guessed.add(f"{model.__name__}.{column}__startswith")
    assert sorted(guessed) == []


def test_columns_with_inputs_and_answers_are_never_allowed() -> None:
    for model, columns in NEVER.items():
        assert columns <= {field.name for field in model._meta.fields}
        assert not columns & set(ALLOWED.get(model._meta.label_lower, ()))


def test_every_allowed_column_exists() -> None:
    for label, columns in ALLOWED.items():
        model = Group if label == "auth.group" else apps.get_model(label)
        assert set(columns) <= {field.name for field in model._meta.fields}, label
