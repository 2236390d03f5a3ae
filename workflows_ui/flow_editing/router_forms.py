"""Forms that edit a router and its branches."""

import re
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import ClassVar

from django import forms
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.paths import dict_at, list_at, pick, text_at
from workflows_ui.engine import flow_tree
from workflows_ui.engine.flow_tree import FALLBACK
from workflows_ui.engine_objects.flows import Branch
from workflows_ui.flow_editing import places
from workflows_ui.flow_editing.forms import (
    EXPRESSION,
    MOST_ROWS,
    STEP_HEAD,
    EditForm,
    RowsForm,
    SettingsForm,
    StepForm,
)
from workflows_ui.flow_editing.operations import Json, Operation, update_step
from workflows_ui.flow_editing.prediction import step_named
from workflows_ui.flows import outline
from workflows_ui.resource_admin.resource import Row
from workflows_ui.web.form_rendering import LongSelect

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class AddBranch(StepForm):
    """A branch before the one for everything else; its condition is set afterwards."""

    kinds = flow_tree.ROUTERS
    name = forms.CharField(label=_("Name of the branch"), max_length=200)

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        branches = dict_at(self.find_step(flow, data), "settings").get("branches") or []
        kinds = [branch.get("branchType") for branch in branches]
        index = kinds.index(FALLBACK) if FALLBACK in kinds else len(kinds)
        return Operation("ADD_BRANCH", {"stepName": data["step"], "branchIndex": index, "branchName": data["name"]})


class BranchForm(EditForm):
    """An operation on one branch, which the address may name as `step:number`."""

    fallback: ClassVar[bool] = False
    #: How many such branches a router of the flow has to have.
    fewest: ClassVar[int] = 1
    above = STEP_HEAD
    branch = forms.ChoiceField(
        label=_("Branch"),
        widget=LongSelect,
        error_messages={"invalid_choice": _("This branch is no longer in the flow.")},
    )

    @classmethod
    def is_for(cls, flow: Row) -> bool:
        found = places.branches(pick(flow, "version.trigger"), fallback=cls.fallback)
        return any(len(indices) >= cls.fewest for _node, indices in found)

    def prepare(self) -> None:
        super().prepare()
        self.chosen = self.choose("branch", places.branch_choices(self.trigger, fallback=self.fallback))
        self.current, self.index = places.read_branch(self.chosen)

    def at(self, data: Cleaned) -> Json:
        """The branch's place, as requests have it."""
        name, index = places.read_branch(data["branch"])
        return {"stepName": name, "branchIndex": index}

    def change_branch(self, flow: Row, data: Cleaned, **values: object) -> Operation:
        """The operation that sets these parts of the branch; everything else of the router is sent as it is."""
        name, index = places.read_branch(data["branch"])
        router = step_named(dict_at(flow, "version.trigger"), name) or {}
        settings = dict_at(router, "settings")
        branches = list(settings.get("branches") or [])
        if not 0 <= index < len(branches):
            raise forms.ValidationError({"branch": gettext("This branch is no longer in the flow.")})
        branches[index] = {**branches[index], **values}
        return update_step(router, is_trigger=False, settings={**settings, "branches": branches})


class DeleteBranch(BranchForm):
    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return Operation("DELETE_BRANCH", self.at(data))


class DuplicateBranch(BranchForm):
    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return Operation("DUPLICATE_BRANCH", self.at(data))


class MoveBranch(BranchForm):
    fewest = 2
    position = forms.IntegerField(
        label=_("New position"),
        min_value=1,
        help_text=_("1 is checked first. The branch for everything else stays last."),
    )

    def prepare(self) -> None:
        super().prepare()
        # One place earlier; the first one, one later.
        self.initial.setdefault("position", max(self.index, 0) or 2)

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        name, index = places.read_branch(data["branch"])
        request = {"stepName": name, "sourceBranchIndex": index, "targetBranchIndex": data["position"] - 1}
        return Operation("MOVE_BRANCH", request)


class RenameBranch(BranchForm):
    fallback = only_chosen = True
    name = forms.CharField(label=_("New name"), max_length=200)

    def prepare(self) -> None:
        super().prepare()
        names = flow_tree.branch_names(step_named(self.trigger, self.current))
        self.initial["name"] = names[self.index] if 0 <= self.index < len(names) else ""

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return self.change_branch(flow, data, branchName=data["name"])


class RouterExecution(SettingsForm):
    """Whether only the first branch that fits runs, or all of them."""

    kinds = flow_tree.ROUTERS
    execution = forms.ChoiceField(
        label=_("Which branches run"), choices=list(outline.EXECUTION.items()), widget=forms.RadioSelect
    )

    def prepare(self) -> None:
        super().prepare()
        self.initial["execution"] = text_at(self.settings, "executionType")

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        return self.update(flow, data, settings={"executionType": data["execution"]})


class _Comparison(forms.Select):
    """Operators. Each names the parts of a condition that it does not have, whose fields flow_editing.css hides."""

    def create_option(
        self,
        name: str,
        value: object,
        label: int | str,
        selected: bool,
        index: int,
        subindex: int | None = None,
        attrs: dict[str, object] | None = None,
    ) -> Json:
        option = super().create_option(name, value, label, selected, index, subindex, attrs)
        if unused := sorted(outline.unused(str(value)), reverse=True):
            option["attrs"]["data-unused"] = " ".join(unused)
        return option


class BranchConditions(RowsForm, BranchForm):
    """The conditions of one branch, a row each: those of a group must all hold, and one group is enough."""

    only_chosen = True
    row_keys = ("group", "first", "operator", "second", "case")
    row_label, add_label = _("Condition"), _("Add a condition")
    fields_before = ("branch",)
    rows_help = _(
        "The conditions of one group must all hold. It is enough that one group does. Rows without values are ignored. Values may be "
        "expressions such as {{trigger.body.total}}."
    )

    def prepare(self) -> None:
        super().prepare()
        filled = [
            (group, *_typed(condition), condition.get("caseSensitive") is True)
            for group, conditions in enumerate(_groups(self.trigger, self.chosen), 1)
            for condition in conditions
        ]
        self.add_rows(filled, (filled[-1][0] if filled else 1, *_typed({}), False))

    def row_fields(self, values: Sequence[object]) -> Sequence[forms.Field]:
        # An operator that the console does not know can be kept.
        operators = [*({values[2]: values[2]} | outline.OPERATORS).items()]
        value = partial(
            forms.CharField,
            required=False,
            strip=False,
            max_length=5000,
            widget=forms.Textarea({"rows": 1} | EXPRESSION),
        )
        return [
            forms.IntegerField(label=_("Group"), required=False, min_value=1, max_value=MOST_ROWS),
            value(label=_("First value")),
            forms.ChoiceField(label=_("Comparison"), required=False, choices=operators, widget=_Comparison),
            value(label=_("Second value")),
            forms.BooleanField(label=_("Match case"), required=False),
        ]

    def clean(self) -> Cleaned:
        filled: list[tuple[int, int]] = []
        for number, (group, first, operator, second, _case) in enumerate(self.row_names):
            values = {name: self.cleaned_data.get(name) for name in (first, operator, second)}
            compared = (first,) if values[operator] in outline.ALONE else (first, second)
            if not any(str(values[name] or "").strip() for name in compared):
                continue
            for name in (operator, *compared):
                if not str(values[name] or "").strip() and name not in self.errors:
                    self.add_error(name, gettext("A value is missing here."))
            if str(values[operator]).startswith("NUMBER_"):
                self._check_numbers(first, second)
            filled.append((self.cleaned_data.get(group) or 1, number))
        if not filled and not self.errors:
            self.add_error(
                None,
                gettext("Fill in at least one condition. To run the steps always, put them outside of the branches."),
            )
        self.filled = sorted(filled)
        return super().clean()

    def _check_numbers(self, *fields: str) -> None:
        for name in fields:
            value = str(self.cleaned_data.get(name) or "").strip()
            if value and "{{" not in value and not _NUMBER.fullmatch(value) and name not in self.errors:
                text = gettext(
                    "This condition compares numbers: enter a number such as 12.5, or an expression such as %(example)s."
                )
                self.add_error(name, text % {"example": "{{trigger.body.total}}"})

    def operation(self, flow: Row, data: Cleaned) -> Operation:
        old = [condition for group in _groups(dict_at(flow, "version.trigger"), data["branch"]) for condition in group]
        groups = [
            [self._condition(data, number, old[number] if number < len(old) else {}) for _group, number in numbers]
            for _group, numbers in groupby(self.filled, key=lambda item: item[0])
        ]
        return self.change_branch(flow, data, conditions=groups)

    def _condition(self, data: Cleaned, number: int, old: Json) -> Json:
        """The condition of a row; what was not changed, and what the form does not know, stays as it is."""
        _group, *names, case = self.row_names[number]
        typed = [str(data[name]).replace("\r\n", "\n") for name in names]
        new = dict(old)
        changes = zip(("firstValue", "operator", "secondValue"), typed, _typed(old), strict=True)
        new |= {key: value for key, value, before in changes if key not in old or value != before}
        if data[case] or "caseSensitive" in old:
            new["caseSensitive"] = data[case]
        return {key: value for key, value in new.items() if key not in outline.unused(new["operator"])}


def _groups(trigger: Json, chosen: str) -> list[list[Json]]:
    """The groups of conditions of a branch: one group is enough, and within it all conditions must hold."""
    name, index = places.read_branch(chosen)
    branches = list_at(step_named(trigger, name) or {}, "settings.branches")
    branch = Branch(branches[index] if 0 <= index < len(branches) else {})
    return [[dict(condition.raw) for condition in group] for group in branch.groups]


def _typed(condition: Json) -> tuple[str, str, str]:
    """First value, operator and second value as a form has them."""
    first, second = (
        str(value) if (value := condition.get(key)) is not None else "" for key in ("firstValue", "secondValue")
    )
    return first, text_at(condition, "operator") or next(iter(outline.OPERATORS)), second
