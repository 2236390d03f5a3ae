"""Texts about copies of deleted objects: what comes back and what does not."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.core.states import Badge
from workflows_ui.deleted_objects.models import CopyState, DeletedObject
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.web import formats
from workflows_ui.web.messages import Text


@dataclass(frozen=True)
class Line:
    """A copy, for a row of the list and for the page that restores it."""

    copy: DeletedObject

    @property
    def name(self) -> str:
        return self.copy.name if formats.visible(self.copy.name) else self.copy.object_id

    @property
    def kind(self) -> Text:
        return RESOURCES[self.copy.kind].label if self.copy.kind in RESOURCES else self.copy.kind

    @property
    def badge(self) -> Badge:
        return CopyState(self.copy.state).badge

    @property
    def url(self) -> str:
        """The page of the restored object; "" before it is created."""
        if not self.copy.restored_id or self.copy.kind not in RESOURCES:
            return ""
        return RESOURCES[self.copy.kind].url(self.copy.workspace.slug, self.copy.restored_id)

    @property
    def returning(self) -> list[str]:
        """What comes back, in short sentences."""
        return list(self._flow() if self.copy.kind == "flows" else self._table())

    @property
    def lost(self) -> list[str]:
        if self.copy.kind == "flows":
            return [
                _("It gets a new id and a new webhook address. Callers of the old one need the new one."),
                _("It comes back as a draft that is off: check it, then publish it."),
                _(
                    "Its runs, earlier versions, launch rights and watches do not come back. Earlier launches stay listed."
                ),
            ]
        lines = [_("It gets a new id, and its records are new ones.")]
        if self.copy.facts.get("foldered"):
            lines.append(_("It comes back outside of its folder."))
        if not self.copy.facts.get("whole", True):
            lines.append(_("Records beyond the limit of a copy do not come back."))
        return lines

    def _flow(self) -> Iterator[str]:
        facts = self.copy.facts
        yield _("The steps of its newest version")
        if facts.get("folder"):
            yield _("Its folder “%(name)s”, if it still exists") % {"name": formats.cut(str(facts["folder"]))}
        if tags := int(facts.get("tags") or 0):
            yield ngettext("%(n)d tag", "%(n)d tags", tags) % {"n": tags}
        if versions := int(facts.get("versions") or 0):
            text = ngettext("Its launch form with %(n)d version", "Its launch form with %(n)d versions", versions)
            yield text % {"n": versions}
        yield _("Saved inputs, if there are any")

    def _table(self) -> Iterator[str]:
        fields, records = (int(self.copy.facts.get(name) or 0) for name in ("fields", "records"))
        yield ngettext("%(n)d column", "%(n)d columns", fields) % {"n": fields}
        yield ngettext("%(n)d record", "%(n)d records", records) % {"n": records}


def restored(copy: DeletedObject) -> str:
    name = {"name": formats.cut(copy.name)}
    if copy.kind == "flows":
        return _("“%(name)s” is restored. It is off: check it, then publish it.") % name
    return _("“%(name)s” is restored.") % name
