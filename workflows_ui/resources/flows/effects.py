"""What a flow will do and how it did lately, on its launch form."""

from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.flows import story
from workflows_ui.launches import flow_facts
from workflows_ui.members.services.access import Access
from workflows_ui.resources.flows import results


def effects_at_once(access: Access, id: str, facts: flow_facts.Facts | None) -> dict[str, object]:
    """The part of the launch form that needs no call: `story` (None without facts), `record`, and whether a `late` request shows more."""
    if facts is None:
        return {"story": None, "record": results.load_record(access, id), "late": False}
    quick = engine_session.open_session(access, quick=True)
    return load_effects(access, id, facts, quick) | {"late": bool(quick.put_off)}


def load_effects(access: Access, id: str, facts: flow_facts.Facts, session: EngineSession) -> dict[str, object]:
    """What the flow will do (`story`) and its recent results (`record`)."""
    names = story.load_names(session, facts.tree)
    return {"story": story.build_story(facts.tree, names), "record": results.load_record(access, id, session)}
