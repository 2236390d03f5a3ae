"""The settings of the practice engine."""

from dataclasses import dataclass, field


@dataclass
class Settings:
    """Settings that can change at run time, also by ``POST /_practice/settings``. Seconds are engine seconds."""

    wait_limit: float = 30.0  # how long /sync waits (api.md 7.2)
    gateway_limit: float = 0.0  # after which the gateway responds with a 504 of its own; 0: never
    appear_after: float = 0.1  # a run is not shown before
    queue_time: float = 0.02  # from QUEUED to RUNNING
    delete_after: float = 1.0  # from DELETING to gone (recordings flow_del_*)
    flow_limit: float = 600.0  # a run longer than this ends as TIMEOUT
    report_after: float = 15.0  # 0.83.0: a running run does not show its start and steps before
    log_limit_mb: float = 2.0  # 0.83.0: a run whose steps are larger ends as LOG_SIZE_EXCEEDED
    flow_in_use: list[str] = field(default_factory=list)  # flow ids that a colleague is editing; "*" for all
    old_channel_route: bool = False  # channel automation on {gw}/v2/backend
    new_channel_route: bool = True  # and on {gw}/channel-service
    retries_disabled: bool = False  # a plan without retry: 402
    invitations_in_plan: bool = False  # else deleting one is 402 or 403 on the gateway (api.md section 15)
    # Beginnings of paths, also after a method, that an older build (404) or a smaller plan (402) does not have.
    missing_routes: list[str] = field(default_factory=list)
    not_in_plan: list[str] = field(default_factory=list)
    missing_pieces: list[str] = field(default_factory=list)  # full names of pieces that are not installed
    version: str = "0.83.0"  # of the Activepieces flavour, or "0.72.4"
    # Limits in the flags of 0.83.0 (recording flags).
    max_records_per_table: int = 10_000
    max_fields_per_table: int = 100
    max_file_size_mb: int = 25
