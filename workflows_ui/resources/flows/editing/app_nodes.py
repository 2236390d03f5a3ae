"""Properties whose choices or fields come from the app, which needs the values of other properties for them."""

from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.resources.flows.editing.app_answers import Answer
from workflows_ui.resources.flows.editing.property_fields import Choice, Node
from workflows_ui.web.messages import Text
from workflows_ui.web.paths import texts_at


class AppNode(Node):
    """A property that the app fills, from the values of the properties that it depends on (`refreshers`)."""

    state: str = "waiting"
    refused: Text = ""
    load_attributes: Any = ""

    @property
    def refreshers(self) -> list[str]:
        return [name for name in texts_at(self.prop.schema, "refreshers") if name != self.key]

    @property
    def searchable(self) -> bool:
        """Whether the app searches its choices."""
        return self.prop.schema.get("refreshOnSearch") is True

    @property
    def search_name(self) -> str:
        return f"search-{self.name}"

    @property
    def search(self) -> str:
        return self.host.posted(self.search_name)[:200]

    def take(self, answer: Answer | None, *, needs: list[str], asked: bool = False, replaced: bool = False) -> None:
        """Show an answer; None if the app was not asked yet.

        Args:
            needs: labels of what has to be chosen first.
            asked: whether the app was asked now, not before.
            replaced: whether it was asked because a value that it depends on was changed.
        """
        if needs:
            self.state = "needs"
            self.refused = _("Choose “%(field)s” first.") % {"field": needs[0][:100]}
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

    template = "resources/flows/editing/app_choice.html"

    def fill(self, answer: Answer, *, asked: bool, replaced: bool) -> None:
        data, keys = self.host.data, {option.key for option in answer.choices}
        if replaced and data is not None and answer.is_complete:
            # The current choice belonged to another value.
            data.setlist(self.name, [key for key in data.getlist(self.name) if key in keys])
            self._initial = None
        self.offer(list(answer.choices))
