"""The changes of an operation in words, for its confirmation."""

from collections.abc import Iterator

from django.utils.translation import gettext, ngettext

from workflows_ui.core import formats
from workflows_ui.core.paths import dict_at, list_at, text_at, texts_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing import branch_changes, places, unmet_references as unmet
from workflows_ui.flow_editing.expressions import used_steps
from workflows_ui.flow_editing.operations import Operation
from workflows_ui.flows import difference, reading, secret_inputs
from workflows_ui.resource_admin.resource import Affected, Row, pick

_MOST_LINES = 12


def lines(session: EngineSession, before: Row, after: Row) -> list[Affected]:
    """The differences between two flows in words, and folded field by field; secrets masked."""
    texts, found = described(session, before, after)
    if not texts:
        return [Affected(gettext("The steps stay as they are."))]
    number = len(texts)
    summary = ngettext("This will change:", "These %(n)d things will change:", number) % {"n": number}
    affected = [Affected(summary, [(text, "") for text in _first(texts)])]
    if any(change.changes for change in found.steps):
        affected.append(
            Affected(gettext("Before and after"), template="flow_editing/folded_difference.html", value=found)
        )
    return affected


def described(session: EngineSession, before: Row, after: Row) -> tuple[list[str], difference.Difference]:
    """The differences between two flows as sentences, and field by field; secrets masked."""
    old, new = dict_at(before, "version"), dict_at(after, "version")
    trees = pick(old, "trigger"), pick(new, "trigger")
    mask, texts = secret_inputs.masking(session, *trees), list[str]()
    found = difference.of_versions(session, old, new, mask=mask)
    steps = [flow_tree.steps_by_name(tree) for tree in trees]
    for change in found.steps:
        versions = [mask(flow_tree.without_steps(listed.get(change.name, {}))) for listed in steps]
        branch = None if change.kind != "changed" else branch_changes.of_router(*versions)
        texts += _lines(change, trees[1], branch)
    if found.names:
        old_name, new_name = found.names
        text = gettext("The flow is renamed: “%(old)s” → “%(new)s”")
        texts.insert(0, text % {"old": old_name, "new": new_name})
    return [*texts, *_changes_of_flow(session, before, after)], found


def _first(texts: list[str]) -> list[str]:
    """As many as a page lists, and how many more there are."""
    more = len(texts) - _MOST_LINES
    return [*texts[:_MOST_LINES], gettext("and %(n)d more") % {"n": more}] if more > 0 else texts


def _lines(change: difference.StepChange, trigger: object, branch: branch_changes.BranchChange | None) -> Iterator[str]:
    values = {"step": formats.cut(change.title)}
    if change.kind == "added":
        yield gettext("“%(step)s” is added") % values
    elif change.kind == "removed":
        yield gettext("“%(step)s” is removed") % values
    if change.moved:
        yield places.move_sentence(trigger, change.name)
    if change.renamed:
        yield gettext("“%(old)s” is renamed to “%(step)s”") % {**values, "old": formats.cut(change.renamed)}
    if change.kind != "changed":
        return
    if branch:
        yield branch.text
    for item in change.changes:
        line = item.after or item.before
        # A branch has one line for its conditions; where it stands among the others is only in the raw data.
        if branch and (line is None or (line.path[0] == "branches" and line.path[-1] in branch.names)):
            continue
        before, after = (
            formats.cut(part.whole, 60) if part else gettext("not set") for part in (item.before, item.after)
        )
        if item.hidden or (item.before is None and item.after is None):
            yield gettext("“%(step)s”, %(field)s: changed") % {**values, "field": item.label}
        else:
            texts = {**values, "field": item.label, "before": before, "after": after}
            yield gettext("“%(step)s”, %(field)s: %(before)s → %(after)s") % texts


def _changes_of_flow(session: EngineSession, before: Row, after: Row) -> Iterator[str]:
    """Changes of what the flow has besides its steps."""
    old, new = (len(list_at(flow, "version.notes")) for flow in (before, after))
    if old != new:
        yield gettext("Notes on the canvas: %(old)d → %(new)d") % {"old": old, "new": new}
    elif pick(before, "version.notes") != pick(after, "version.notes"):
        yield gettext("A note on the canvas is changed")
    if before.get("publishedVersionId") != after.get("publishedVersionId"):
        yield gettext("The draft goes live")
    elif pick(before, "version.state") != pick(after, "version.state"):
        yield gettext("The draft is locked: the next edit makes a new draft")
    if before.get("timeSavedPerRun") != after.get("timeSavedPerRun"):
        values = {"old": before.get("timeSavedPerRun") or "–", "new": after.get("timeSavedPerRun") or "–"}
        yield gettext("Minutes saved with each run: %(old)s → %(new)s") % values
    changed = {key for key in ("status", "folderId", "metadata", "ownerId") if before.get(key) != after.get(key)}
    if "status" in changed:
        is_on = after.get("status") == "ENABLED"
        yield gettext("The flow is turned on") if is_on else gettext("The flow is turned off")
    if "folderId" in changed and (folder := text_at(after, "folderId")):
        names = {"folder": formats.cut(reading.folder_names(session).get(folder, folder))}
        yield gettext("The flow is moved to the folder “%(folder)s”") % names
    elif "folderId" in changed:
        yield gettext("The flow is taken out of its folder")
    if "metadata" in changed:
        yield gettext("Tags or other metadata of the flow are changed")
    if "ownerId" in changed and (owner := text_at(after, "ownerId")):
        names = reading.people(session) | reading.other_people(session)
        yield gettext("The flow then belongs to %(owner)s") % {"owner": names.get(owner, owner)}


def removed_steps(before: Row, after: Row, operation: Operation) -> list[Affected]:
    """The steps that are removed with the one that the operation names, such as those inside a loop."""
    old, new = (flow_tree.steps_by_name(pick(flow, "version.trigger")) for flow in (before, after))
    named = [*texts_at(operation.request, "names")]
    gone = [places.title(step) for name, step in old.items() if name not in new and name not in named]
    if not gone:
        return []
    summary = ngettext("This step is removed with it:", "These %(n)d steps are removed with it:", len(gone))
    return [Affected(summary % {"n": len(gone)}, [(title, "") for title in _first(gone)])]


def other_outputs(before: Row, after: Row) -> list[Affected]:
    """The steps that read one which has become another action or kind of step, whose output is another one then."""
    old, new = (flow_tree.steps_by_name(pick(flow, "version.trigger")) for flow in (before, after))
    others = {name for name, step in new.items() if name in old and _operation(step) != _operation(old[name])}
    readers = [
        step for step in new.values() if others and others & set(map(flow_tree.step_name, used_steps(new, step)))
    ]
    if not readers:
        return []
    summary = ngettext(
        "This step reads the output of the step, and may not find in it what it reads now:",
        "These %(n)d steps read the output of the step, and may not find in it what they read now:",
        len(readers),
    )
    titles = _first([places.title(step) for step in readers])
    return [Affected(summary % {"n": len(readers)}, [(title, "") for title in titles])]


def _operation(step: flow_tree.Step) -> list[object]:
    names = ("settings.pieceName", "settings.actionName", "settings.triggerName")
    return [step.get("type"), *(pick(step, name) for name in names)]


def unmet_references(before: Row, after: Row) -> list[Affected]:
    """The steps that will read what they do not find any more, and what they read."""
    old, new = (flow_tree.nodes_by_name(pick(flow, "version.trigger")) for flow in (before, after))
    nodes = old | new
    found = unmet.find_unmet(new, nodes)
    known = {item.key for item in unmet.find_unmet(old, nodes)} if found else ()
    found = [item for item in found if item.key not in known]
    if not found:
        return []
    listed = [(f"{formats.cut(item.title, 60)}: {item.text(nodes)}", "") for item in found[:_MOST_LINES]]
    if more := len(found) - len(listed):
        listed.append((gettext("and %(n)d more") % {"n": more}, ""))
    summary = ngettext(
        "A step reads a value that it will no longer find. It does not fail: it continues without it.",
        "Some steps read values that they will no longer find. They do not fail: they continue without them.",
        len({flow_tree.step_name(item.reader) for item in found}),
    )
    return [Affected(summary, listed)]


def request(session: EngineSession, operation: Operation) -> Affected:
    """The request itself, for people who know the engine."""
    masked = formats.pretty(secret_inputs.masked(session, operation.body))
    return Affected(gettext("Request to the engine"), template="flow_editing/folded_request.html", value=masked)
