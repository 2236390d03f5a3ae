"""The fields of a form whose choices or parts the app gives: what it is asked, and what is asked again after a change."""

import json
from collections.abc import Mapping, Sequence

from django.forms.utils import flatatt
from django.utils.translation import gettext

from workflows_ui.core.paths import texts_at
from workflows_ui.core.text import Text
from workflows_ui.flow_editing.app_answers import Answer, App
from workflows_ui.flow_editing.expressions import MISSING
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flow_editing.property_fields import Choice, Node, same

_PREFIX = "p-"


class AppNode(Node):
    """A property that the app fills, from the values of the properties that it depends on (`refreshers`)."""

    state: str = "waiting"
    refused: Text = ""
    load_attributes: object = ""

    @property
    def refreshers(self) -> list[str]:
        return [name for name in texts_at(self.prop.schema, "refreshers") if name != self.key]

    @property
    def searchable(self) -> bool:
        return self.prop.schema.get("refreshOnSearch") is True

    @property
    def search(self) -> str:
        return self.host.posted(f"search-{self.name}")[:200]

    def take(self, answer: Answer | None, *, needs: list[str], asked: bool = False, replaced: bool = False) -> None:
        """Show an answer; None if the app was not asked yet.

        Args:
            needs: labels of what has to be chosen first.
            asked: whether the app was asked now, not before.
            replaced: whether it was asked because a value that it depends on was changed.
        """
        if needs:
            self.state = "needs"
            self.refused = gettext("Choose “%(field)s” first.") % {"field": needs[0][:100]}
        elif answer is None:
            self.state = "waiting"
        elif answer.refused:
            self.state, self.refused = "refused", answer.refused
        else:
            self.state = "ready"
            self.fill(answer, asked=asked, replaced=replaced)

    def fill(self, answer: Answer, *, asked: bool, replaced: bool) -> None:
        """Show the choices or fields of the answer."""
        raise NotImplementedError


class AppChoice(AppNode, Choice):
    """One choice or several from a list of the app."""

    template = "flow_editing/app_choice.html"

    def fill(self, answer: Answer, *, asked: bool, replaced: bool) -> None:
        data, keys = self.host.data, {option.key for option in answer.choices}
        if replaced and data is not None and answer.is_complete:
            # The current choice belonged to another value.
            data.setlist(self.name, [key for key in data.getlist(self.name) if key in keys])
            self._initial = None
        self.offer(list(answer.choices))


class AppFields:
    """The nodes of a form, some of which get their choices or fields from the app.

    `stored` are the current values of the step, with their secrets as far as the form has them; `auth` is its chosen connection.
    """

    def __init__(self, nodes: Sequence[Node], stored: Json, auth: object, *, needs_connection: bool) -> None:
        self._nodes, self._stored, self._auth, self._needs_connection = nodes, stored, auth, needs_connection
        self._app_nodes = [node for node in nodes if isinstance(node, AppNode)]
        self._by_key = {node.key: node for node in self._app_nodes}

    def ask(self, app: App, redo: str) -> None:
        """Fill in the answers that are cached, and those that `redo` requests now; nodes come after those that they depend on."""
        verb, _colon, target = redo.partition(":")
        replaced = {node.key for node in self.dependents(target)} if verb == "refresh" else set()
        for node in sorted(self._app_nodes, key=lambda node: len(self._requirements(node))):
            now = node.key in replaced or (verb in ("load", "search") and target == node.name)
            values, needs = self._values_for(node)
            answer = None if needs else (app.ask if now else app.known)(node.key, values, node.search)
            node.take(answer, needs=needs, asked=now, replaced=node.key in replaced)
        for one in self._nodes:
            one.attributes = self.refreshing(one.name)
        for node in self._app_nodes:
            if node.state == "waiting":
                values = {"redo": f"load:{node.name}"}
                node.load_attributes = flatatt({"hx-trigger": "load", **_request_attributes([node], values)})

    def dependents(self, name: str) -> list[AppNode]:
        """The nodes that depend on the field of this name, directly or not."""
        key = "auth" if name == "connection" else name.removeprefix(_PREFIX)
        return [node for node in self._app_nodes if key in self._requirements(node)]

    def refreshing(self, name: str) -> str:
        """The attributes with which a field, when it is changed, reloads what depends on it; "" if nothing does."""
        dependents = self.dependents(name)
        if not dependents:
            return ""
        values = {"redo": f"refresh:{name}"}
        return flatatt({"hx-trigger": "change", "hx-sync": "this:replace", **_request_attributes(dependents, values)})

    def is_replaced(self, node: AppNode) -> bool:
        """Whether something that a node depends on differs from the current value."""
        others = [other for other in self._nodes if other.key in self._requirements(node)]
        stored = [(other, self._stored.get(other.key, MISSING)) for other in others]
        return not all(same(other.draft(value), value) for other, value in stored)

    def _requirements(self, node: AppNode) -> set[str]:
        """The keys of all properties that a node depends on, directly or not."""
        found: set[str] = set()
        waiting = list(node.refreshers)
        while waiting:
            key = waiting.pop()
            if key not in found and key != node.key:
                found.add(key)
                waiting += self._by_key[key].refreshers if key in self._by_key else []
        return found

    def _values_for(self, node: AppNode) -> tuple[Json, list[str]]:
        """The values to send to the app, and the labels of those that have to be chosen first."""
        values: Json = {}
        needs: list[str] = []
        if self._auth:
            values["auth"] = self._auth
        elif self._needs_connection and "auth" in node.refreshers:
            needs.append(gettext("Connection"))
        for other in self._nodes:
            if other.key in node.refreshers:
                value = other.draft(self._stored.get(other.key, other.shown))
                if value is not MISSING:
                    values[other.key] = value
                elif other.prop.required:
                    needs.append(other.label)
        return values, needs


def _request_attributes(nodes: Sequence[AppNode], values: Mapping[str, str]) -> dict[str, str]:
    """The attributes of an element that asks for these nodes, whose elements app_answers.js replaces."""
    replaced = " ".join(node.id for node in nodes)
    return {"hx-vals": json.dumps(values), "data-replaces": replaced, "hx-disabled-elt": "unset"}
