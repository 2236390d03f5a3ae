"""The open alarms of flows, for their pages and rows: their own, and those about many flows that they are among."""

from collections.abc import Collection, Mapping

from workflows_ui.alarms import folding, services
from workflows_ui.alarms.models import Alarm, AlarmKind
from workflows_ui.core import clock
from workflows_ui.run_index.models import RunIndex


def of_flows(index: RunIndex, flow_ids: Collection[str]) -> Mapping[str, list[Alarm]]:
    """The open alarms of each of these flows that has one, the latest first. One query, and another one during an alarm about many."""
    found: dict[str, list[Alarm]] = {}
    for alarm in services.opened(index):
        if alarm.kind == AlarmKind.MANY:
            members = folding.flows_of(alarm, clock.now()).filter(flow_id__in=flow_ids)
            keys = list(members.values_list("flow_id", flat=True))
        else:
            keys = [alarm.flow_id] if alarm.flow_id in flow_ids else []
        for key in keys:
            found.setdefault(key, []).append(alarm)
    return found
