"""What can be done with a remote thing: Action, the declaration of one button with everything that is asked, said and written down."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.urls import reverse

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.words import Text
from workflows_ui.models import Role

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Affected:
    """What an action touches beside its object: one sentence with the count, and the things by name as (name, address or "")."""

    summary: Text
    lines: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Bulk:
    """That an action may be done to many objects at once, in the background (services.jobs), and how.

    Attributes:
        confirm: what will happen, as sentences that fit any number of objects.
        together: does it to so many objects by one call: (caller, ids, cleaned data) -> the ids that it was done to, or None where
            the engine does not tell them apart. Without it, the action's `run` is called for one after the other. May raise
            EngineError, and must never call the engine without ids: that would mean everything.
        rows: (caller, ids) -> the objects as they are now, by id, those that are gone left out; needed with `together`.
    """

    confirm: Text = ""
    together: Callable[[Caller, Sequence[str], dict[str, Any]], Iterable[str] | None] | None = None
    rows: Callable[[Caller, Sequence[str]], Mapping[str, Row]] | None = None


def always(_row: Row) -> bool:
    """Offers an action for every object."""
    return True


@dataclass(frozen=True)
class Action:
    """One thing that a person can do to an object, or to the collection.

    An action with a form, a `confirm` sentence or `danger` has a page that asks before; any other acts on one click, and must
    therefore be safe to repeat.

    Attributes:
        name: its part of the address: lower case letters, digits, dashes.
        label: the verb, as the button says it.
        icon: a name of Font Awesome's solid set.
        run: (caller, id, cleaned data) -> the engine's answer, in whatever shape `done` and `then` read. The id is "" for a
            collection. May raise EngineError, or forms.ValidationError for what only turns out wrong here.
        role: the least role that may do it.
        form: asked before. May name `caller`, `row` and `asked` (what the address or the sent form holds, unchecked) as keyword
            arguments of its __init__; it gets them then. Secrets are fields with a PasswordInput: they never come back to the page.
        initial: the form's first values. The row has its secrets masked; a mask that comes back is refused by the kit.
        danger: red, and always asked; the safe choice has the focus.
        confirm: the sentence above the button: what will happen.
        button: the button's words on the page that asks; the label without it.
        affected: names and counts what else is touched; may call the engine.
        offered: False hides it from this object, and refuses it.
        hindered: why this object cannot be given it now, "" where it can: its page then shows the action with the reason. May call
            the engine; where that fails, nothing hinders.
        done: what is said afterwards; or a callable (row, answer) that says it.
        then: (slug, row, answer) -> the address that follows. Without it: the list one came from, the object's page, or the list
            where the object is gone (names that start with `delete`).
        in_rows: stands in the menu of the list's rows too.
        collection: belongs to the list, not to an object; its row is {}.
        secrets: names of fields whose values no log may hold; PasswordInput fields are among them anyway, and so
            are those that a form made at run time names in its attribute `discreet` (a frozenset).
        needs: a capability (services.inspecting.NAMES) without which the engine cannot do it: then it is left out of rows, shown
            with the reason on pages, and refused.
        bulk: may be done to many objects at once, and how. Its form must not ask for files or secrets, and reads no row (it gets
            an empty one).
    """

    name: str
    label: Text
    icon: str
    run: Callable[[Caller, str, dict[str, Any]], Any]
    role: Role = Role.BUILDER
    form: type[forms.Form] | None = None
    initial: Callable[[Row], dict[str, Any]] | None = None
    danger: bool = False
    confirm: Callable[[Row], Text] | None = None
    button: Callable[[Row], Text] | None = None
    affected: Callable[[Caller, Row], Affected | None] | None = None
    offered: Callable[[Row], bool] = always
    hindered: Callable[[Caller, Row], Text] | None = None
    done: Text | Callable[[Row, Any], Text] = ""
    then: Callable[[str, Row, Any], str] | None = None
    in_rows: bool = False
    collection: bool = False
    secrets: frozenset[str] = frozenset()
    needs: str = ""
    bulk: Bulk | None = None

    @property
    def asks(self) -> bool:
        """Whether a page is shown before it acts."""
        return self.danger or self.form is not None or self.confirm is not None

    @property
    def removes(self) -> bool:
        """Whether the object is gone afterwards."""
        return self.name.startswith("delete")

    def url(self, slug: str, resource: str, id: str = "") -> str:
        """Its address: GET asks, POST acts."""
        named = {"slug": slug, "resource": resource, "action": self.name}
        if self.collection:
            return reverse("resource_collection_action", kwargs=named)
        return reverse("resource_action", kwargs={**named, "id": id})

    def bulk_url(self, slug: str, resource: str) -> str:
        """Where the rows of a list are sent, to be asked about together (views/bulk.py)."""
        return reverse("bulk_choose", kwargs={"slug": slug, "resource": resource, "action": self.name})

    def message(self, row: Row, answer: Any) -> Text:
        """What is said afterwards."""
        return self.done(row, answer) if callable(self.done) else self.done


@dataclass(frozen=True)
class Button:
    """An action (`deed`) or a way to somewhere, made ready for a page: a link, or a form that acts on one click.

    One with a `reason` cannot be used here: it is shown with why.
    """

    label: Text
    icon: str
    url: str
    deed: bool = False
    posts: bool = False
    danger: bool = False
    primary: bool = False
    reason: Text = ""


def button(action: Action, slug: str, resource: str, id: str = "", reason: Text = "") -> Button:
    """The button of an action; with a `reason` it only says why it cannot be done."""
    return Button(
        action.label,
        action.icon,
        action.url(slug, resource, id),
        deed=True,
        posts=not action.asks,
        danger=action.danger,
        reason=reason,
    )


def arranged(buttons: Sequence[Button]) -> tuple[Button | None, Sequence[Button]]:
    """The one that stands out, and the rest in their order, harmful ones last.

    It is the first primary one, else the first harmless action. Where that cannot be used here, no lesser action takes its place:
    the first way to somewhere does, since what is to be done next has to be done there.
    """
    first = next((one for one in buttons if one.primary), None)
    if first is None:
        first = next((one for one in buttons if one.deed and not one.danger), None)
    if first is not None and first.reason:
        first = next((one for one in buttons if not one.deed), None)
    rest = [one for one in buttons if one is not first]
    return first, [*(one for one in rest if not one.danger), *(one for one in rest if one.danger)]
