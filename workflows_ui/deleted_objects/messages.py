"""Texts about copies of deleted objects: what comes back and what does not."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import formats
from workflows_ui.core.readers import as_count
from workflows_ui.core.text import Text
from workflows_ui.deleted_objects.models import DeletedObject
from workflows_ui.resource_admin.resource import RESOURCES


def name_of(copy: DeletedObject) -> str:
    return copy.name if formats.visible(copy.name) else copy.object_id


def kind_of(copy: DeletedObject) -> Text:
    return RESOURCES[copy.kind].label if copy.kind in RESOURCES else copy.kind


def restored_url(copy: DeletedObject) -> str:
    """The page of the restored object; "" before it is created."""
    if not copy.restored_id or copy.kind not in RESOURCES:
        return ""
    return RESOURCES[copy.kind].url(copy.workspace.slug, copy.restored_id)


def returning(copy: DeletedObject) -> list[str]:
    """What comes back, in short sentences."""
    return list(_flow(copy.facts) if copy.kind == "flows" else _table(copy.facts))


def lost(copy: DeletedObject) -> list[str]:
    if copy.kind == "flows":
        return [
            _("It gets a new ID and a new webhook address. Callers of the old one need the new one."),
            _("It is restored as a draft that is off. Check it, then publish it."),
            _(
                "Its runs, earlier versions, launch rights and subscriptions are not restored. Earlier "
                "launches stay listed."
            ),
        ]
    lines = [_("It gets a new ID, and its records are new ones.")]
    if not copy.facts.get("external_ids"):
        lines.append(
            _("Flows no longer find its columns, and write empty rows: choose the columns in their steps again.")
        )
    if copy.facts.get("foldered"):
        lines.append(_("It is restored outside its folder."))
    if not copy.facts.get("whole", True):
        lines.append(_("Records beyond the limit of a copy are not restored."))
    return lines


def _flow(facts: Mapping[str, object]) -> Iterator[str]:
    yield _("The steps of its newest version")
    if facts.get("folder"):
        yield _("Its folder “%(name)s”, if it still exists") % {"name": formats.cut(str(facts["folder"]))}
    if tags := as_count(facts.get("tags")):
        yield ngettext("%(n)d tag", "%(n)d tags", tags) % {"n": tags}
    if versions := as_count(facts.get("versions")):
        text = ngettext("Its launch form with %(n)d version", "Its launch form with %(n)d versions", versions)
        yield text % {"n": versions}
    yield _("Saved inputs, if there are any")


def _table(facts: Mapping[str, object]) -> Iterator[str]:
    fields, records = (as_count(facts.get(name)) or 0 for name in ("fields", "records"))
    yield ngettext("%(n)d column", "%(n)d columns", fields) % {"n": fields}
    yield ngettext("%(n)d record", "%(n)d records", records) % {"n": records}


def restored(copy: DeletedObject) -> str:
    name = {"name": formats.cut(copy.name)}
    if copy.kind == "flows":
        return _("“%(name)s” is restored. It is off: check it, then publish it.") % name
    return _("“%(name)s” is restored.") % name
