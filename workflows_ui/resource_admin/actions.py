"""Action: the declaration of one button, with its form, confirmation, messages and audit entry."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Self, TypedDict

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy

from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.declaration import Row
from workflows_ui.members.models import Role, Workspace
from workflows_ui.unclear_writes.models import UnclearWrite
from workflows_ui.web.elements import Button
from workflows_ui.web.links import object_url

#: The cleaned data of an action's form, and its initial values.
Data = dict[str, Any]
#: What an action's `run` returns: its other callables expect it as it is.
Answer = Any


@dataclass(frozen=True)
class Affected:
    """What else an action affects: a sentence with the count, and the items as (name, URL or ""). Of a bulk action, texts are lazy
    (`gettext_lazy`, `filled`, `deferred`), since a job keeps them in each language (core.text.in_each_language).

    A `template` shows `value` instead, folded: it gets both, and the summary as `label`. `choice` is the field of a job's form that decides
    about it.
    """

    summary: Text
    lines: Sequence[tuple[Text, str]] = ()
    template: str = ""
    value: object = None
    choice: str = ""


@dataclass(frozen=True)
class Bulk:
    """Settings of an action that can be applied to many objects in the background (jobs.services.jobs).

    Attributes:
        confirm: what will happen, in sentences that fit any number of objects.
        together: applies the action to many objects in one call: (session, ids, cleaned data) -> the ids it was applied
            to, or None if the engine does not say which. Without it, the action's `run` is called once per object. May
            raise EngineError, and must never call the engine without ids: that would mean all objects.
        rows: (session, ids) -> the current objects by id, without deleted ones; required with `together`.
        procedure: for an action of several calls on each object, which only jobs run (`Resource.job_actions`).
        skip_reason: (row, cleaned data) -> why this object is left out, a jobs.services.jobs.Reason; "" if it is not. The data is empty
            before the confirmation.
        choices: fields of the form, each with the reason to skip that it lifts: the question counts these objects as left out, and they are
            done if the person chooses so.
        done: the outcome of an object, if it is not that something succeeded.
        result: the answer of `run` -> the id of the object that the action started.
        follow: (session, ids) -> the current states of the objects that the action started, shown on the job's page.
    """

    confirm: Text = ""
    together: Callable[[EngineSession, Sequence[str], Data], Iterable[str] | None] | None = None
    rows: Callable[[EngineSession, Sequence[str]], Mapping[str, Row]] | None = None
    procedure: "Procedure | None" = None
    skip_reason: Callable[[Row, Mapping[str, object]], str] | None = None
    choices: Mapping[str, str] = MappingProxyType({})
    done: Text = ""
    result: Callable[[Answer], str] | None = None
    follow: Callable[[EngineSession, Sequence[str]], Mapping[str, Badge]] | None = None

    def why_skipped(self, row: Row, data: Mapping[str, object]) -> str:
        return self.skip_reason(row, data) if self.skip_reason is not None else ""


@dataclass(frozen=True)
class Procedure:
    """An action of several calls on each object of a job. The action's `run` gets a jobs.services.turns.Progress as `progress` among the
    data, writes down in it before each call what it needs to go on after its worker was lost, and looks at the object first.

    Attributes:
        collect: (session, data, hold) -> the objects as (id, name), and whether these are certainly all; `hold` is called before each call.
            May raise EngineError; NotFound ends the job before anything was done.
        impact: (session, row, data) -> what happens to the object, or why nothing does.
        finish: (session, data, actor, succeeded) -> why what was asked for at the end was not done, a jobs.services.jobs.Reason, or "".
        subject: (data) -> what the job is about, besides its objects.
        reverse: (data) -> the data of a job that undoes this one for the objects that succeeded; jobs.services.jobs.UNDOES names it there.
        final: (workspace, data) -> why the job cannot be undone, as far as the console knows without the engine; else "".
        choices: the fields of the form that are left out if no object's impact names them (`Affected.choice`).
    """

    collect: Callable[[EngineSession, dict[str, object], Callable[[], None]], tuple[list[tuple[str, str]], bool]]
    impact: Callable[[EngineSession, Row, Data], Affected]
    finish: Callable[[EngineSession, Data, Actor, bool], str]
    subject: Callable[[Data], Text]
    reverse: Callable[[dict[str, object]], dict[str, object]]
    final: Callable[[Workspace, dict[str, object]], Text]
    choices: frozenset[str] = frozenset()


def always(_row: Row) -> bool:
    """For every object."""
    return True


def never(_row: Row) -> bool:
    """For no object."""
    return False


@dataclass(frozen=True)
class Action:
    """An action on an object or on the collection.

    An action with a form, a `confirm` sentence, `danger` or `stops` has a confirmation page; any other runs on one click, and must
    therefore be safe to repeat.

    Attributes:
        name: its part of the URL: lower case letters, digits, dashes.
        label: a verb, shown on the button.
        icon: a name in web/icons.txt.
        run: (session, id, cleaned data) -> the engine's answer, in the form that `done` and `success_url` expect. The id is "" for a
            collection. May raise EngineError, or forms.ValidationError for errors that only show here.
        role: the minimum role required.
        form: shown before the action runs. Its __init__ may take `session`, `row`, `asked` (the query string or the submitted data, not
            validated) and `unmasked` (the row as the engine returned it, if the form is submitted for one object) as keyword arguments.
            Secrets are fields with a PasswordInput: they are never sent back to a page nor logged, and
            neither are the fields named in the form's attribute `discreet` (a frozenset). A submitted form may ask for confirmation: its
            attribute `questions` (a list of Affected) is then shown with it.
        initial: the form's initial values; of an action on an object, which it may change: the audit log records both by name. The row
            has its secrets masked; a submitted mask is rejected (action_forms.validate).
        danger: it destroys something: red, and always confirmed; the safe choice has the focus.
        stops: it stops or hides something: outlined, and always confirmed; the safe choice has the focus.
        confirm: the sentence above the button, saying what will happen. In this and the next two texts, `%(name)s` is the object's name;
            each may be a callable (row) instead.
        button: the button's label on the confirmation page; `label` without it.
        impact: names and counts what else is affected; may call the engine.
        visible: False hides the action for this object, and rejects it.
        disabled_reason: why the action is not possible for this object now, "" if it is: the object's page shows the action with the
            reason. May call the engine; if that fails, the action counts as possible.
        done: the success message; a callable gets (row, answer), and may return a LastingText or LinkedText.
        success_url: (slug, row, answer) -> the next URL. Without it: the list the person came from, the object's page, or the list if the
            object is gone (names that start with `delete`).
        primary: True where this is what one most likely came to the page for: the button that stands out. At most one does.
        in_rows: also shown in the menu of the list's rows.
        collection: belongs to the list, not to an object; its row is {}.
        needs: a capability (credentials.services.capabilities.NAMES) that the engine must have: otherwise the action is left out of
            rows, shown with the reason on pages, and rejected.
        creates: the resource of the object that an action on another object creates; the engine's answer has its id.
        status_after: the `status` of the object afterwards; the audit log records it with the one before.
        tab: the tab of the object's page that offers the action, in its own way; empty: the page's head does.
        follow_up: (session, write, answer) -> None: what `run` changes in the database after the engine's answer, for a write whose answer
            proved nothing and which is found done later (write_looks.worker). `answer` is that of the look. It is a part of the
            transaction that stores the outcome, and must not call the engine.
        follow_up_calls: as `follow_up`, for what calls the engine. It comes before the outcome is stored, and is repeated if the worker
            is killed in between.
        bulk: settings for applying it to many objects. Its form must not ask for files or secrets, and reads no row (it gets an empty one).
    """

    name: str
    label: Text
    icon: str
    run: Callable[[EngineSession, str, Any], Answer]
    role: Role = Role.BUILDER
    form: type[forms.Form] | None = None
    initial: Callable[[Row], Data] | None = None
    danger: bool = False
    stops: bool = False
    confirm: Text | Callable[[Row], Text] = ""
    button: Text | Callable[[Row], Text] = ""
    impact: Callable[[EngineSession, Row], Affected | None] | None = None
    visible: Callable[[Row], bool] = always
    disabled_reason: Callable[[EngineSession, Row], Text] | None = None
    done: Text | Callable[[Row, Answer], Text] = ""
    success_url: Callable[[str, Row, Answer], str] | None = None
    primary: Callable[[Row], bool] = never
    in_rows: bool = False
    collection: bool = False
    needs: str = ""
    follow_up: Callable[[EngineSession, UnclearWrite, object], None] | None = None
    follow_up_calls: Callable[[EngineSession, UnclearWrite, object], None] | None = None
    bulk: Bulk | None = None
    creates: str = ""
    status_after: str = ""
    tab: str = ""

    @property
    def needs_confirmation(self) -> bool:
        """Whether a page is shown before the action runs."""
        return self.danger or self.stops or self.form is not None or bool(self.confirm)

    @property
    def in_panel(self) -> bool:
        """Whether the form opens in a panel, next to another part of the page (its `side_template`)."""
        return hasattr(self.form, "side_template")

    @property
    def belongs_to(self) -> tuple[str, str] | None:
        """Kind and id of another object in whose history the action is, too."""
        return None

    @property
    def removes(self) -> bool:
        """Whether the object no longer exists afterwards."""
        return self.name.startswith("delete")

    def url(self, slug: str, resource: str, id: str = "") -> str:
        """The action's URL: GET shows the form, POST runs the action."""
        arguments = {"slug": slug, "resource": resource, "action": self.name}
        if self.collection:
            return reverse("resource_collection_action", kwargs=arguments)
        return object_url("resource_action", id, **arguments)

    def bulk_url(self, slug: str, resource: str) -> str:
        """The URL that receives the selected rows of a list (jobs.views.choose)."""
        return reverse("bulk_choose", kwargs={"slug": slug, "resource": resource, "action": self.name})


class LastingText(str):
    """A success message that stays until it is closed, since somebody has to act on it."""


class LinkedText(str):
    """A success message that is followed by a link."""

    link: Text
    url: str

    def __new__(cls, text: Text, link: Text, url: str) -> Self:
        new = super().__new__(cls, text)
        new.link, new.url = link, url
        return new


class NameData(TypedDict):
    """The cleaned data of a NameForm."""

    name: str


class NameForm(forms.Form):
    """For actions that ask for a name only."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)


#: Take `run` and the other attributes of an Action, and the one that creates an object a label.
create_action = partial(Action, "new", icon="plus", form=NameForm, primary=always, collection=True)
rename_action = partial(Action, "rename", gettext_lazy("Rename"), "pencil", form=NameForm, in_rows=True)
delete_action = partial(Action, "delete", gettext_lazy("Delete"), "trash-2", danger=True, in_rows=True)


def button(action: Action, slug: str, resource: str, id: str = "", reason: Text = "", row: Row | None = None) -> Button:
    """The button of an action for an object; with a `reason` it is disabled and shows why."""
    return Button(
        action.label,
        action.icon,
        action.url(slug, resource, id),
        is_action=True,
        posts=not action.needs_confirmation,
        danger=action.danger,
        primary=action.primary(row or {}),
        reason=reason,
    )
