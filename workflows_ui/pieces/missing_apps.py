"""Apps that a flow needs and the engine does not have. Such a flow is published and called without an error, and never
runs.

Measured on 0.83.0: publishing answers 200, the webhook answers 200, and no run appears (recordings
`op_lock_and_publish_with_unknown_piece`, `webhook_async_unknown_piece_flow`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _, ngettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.text import Message, Text, deferred, filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound, Refused, flow_tree
from workflows_ui.engine_objects.flows import Step
from workflows_ui.launches import flow_facts
from workflows_ui.pieces import apps

#: Maximum apps requested per check, besides the list of all; steps that a sentence names.
_ASKED, _STEPS = 10, 5
_THERE_FOR = 60
_MARK = re.compile(r"^[~^](?=\d)")


@dataclass(frozen=True)
class MissingApp:
    """An app, or one of its versions, that the engine does not have, with the names of the steps that need it.

    `version` is the one that the steps require, "" if they name none; `here` the one that the engine has, "" if it does not have the app
    at all.
    """

    name: str
    title: str
    version: str
    here: str
    steps: tuple[str, ...]

    @property
    def text(self) -> Text:
        """A sentence with the app and the steps that need it."""
        names = {
            "app": formats.cut(self.title),
            "version": self.version[:40],
            "here": self.here[:40],
            "steps": ", ".join(f"“{formats.cut(step)}”" for step in self.steps[:_STEPS]),
        }
        if self.here:
            text = _("“%(app)s” in version %(version)s (the engine has %(here)s), needed by %(steps)s.")
        else:
            text = _("“%(app)s”, needed by %(steps)s.")
        return filled(text, **names)


def of_trees(session: EngineSession, *triggers: object, versions: bool = False) -> list[MissingApp]:
    """The apps of step trees (api.md 6.3) that the engine does not have. Empty if the engine does not say.

    One call for the list of apps, cached; one for each app that is not in it, since a list may be incomplete.

    Args:
        versions: also check each version that is not the one in the list: one call each, ten at most.
    """
    known = {app["name"]: app for app in apps.catalogue_or_none(session)}
    if not known:
        return []
    found, calls = [], 0
    for (name, version), steps in _steps_by_app(triggers).items():
        installed = known[name]["version"] if name in known else ""
        if installed and (not versions or not version or version == installed):
            continue
        calls += 1
        if calls > _ASKED or _exists(session, name, version if installed else ""):
            continue
        title = apps.title(known[name]) if name in known else apps.short(name)
        found.append(MissingApp(name, title, version, installed, tuple(steps)))
    return found


def of_flow(session: EngineSession, flow_id: str) -> list[MissingApp]:
    """The apps and versions that the published version of a flow needs and the engine does not have. Raises EngineError."""
    return of_trees(session, flow_facts.load_facts(session.workflows, flow_id).tree, versions=True)


def texts(missing: Sequence[MissingApp]) -> Text:
    """The sentences of these apps."""
    return deferred(lambda: " ".join(str(app.text) for app in missing))


def no_run_words(missing: Sequence[MissingApp]) -> Message:
    """Why a flow that needs these apps was called and did not run. `missing` is not empty."""
    text = _("The engine takes calls of such a flow and never runs it. It does not have: %(apps)s")
    return Message(
        ngettext_lazy(
            "The flow needs an app that this engine does not have",
            "The flow needs apps that this engine does not have",
            len(missing),
        ),
        filled(text, apps=texts(missing)),
        _("Ask the engine's administrator to install it, or a builder to change the steps."),
    )


def exact(version: str) -> str:
    """A version as the engine stores it: it cuts the prefix off and takes the rest unchanged (recording
    `op_update_trigger_tilde_older_version`).
    """
    return _MARK.sub("", version)


def _steps_by_app(triggers: Iterable[object]) -> dict[tuple[str, str], list[str]]:
    """The steps that need each app, by its name and version."""
    result: dict[tuple[str, str], list[str]] = {}
    for node in (node for trigger in triggers for node in flow_tree.walk(trigger)):
        step = Step(node.step)
        if name := step.settings.piece_name:
            title = step.display_name if formats.visible(step.display_name) else node.name
            result.setdefault((name, exact(step.settings.piece_version)), []).append(title)
    return result


def _exists(session: EngineSession, name: str, version: str) -> bool:
    """Whether the engine has this app, and this version if one is given. True if the engine does not say."""

    def ask() -> bool:
        try:
            apps.fetch_app(session, name, version)
        except NotFound as missing:
            # Without a code the answer is not from the engine, but from something in between.
            return not missing.code
        except Refused as refused:
            # An invalid version is refused as a value (recording `piece_get_bad_version`).
            return refused.code != "FST_ERR_VALIDATION"
        return True

    return session.remember_or(True, f"piece-there:{name}:{version}", _THERE_FOR, ask)
