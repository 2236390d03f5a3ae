"""Flows, their versions and steps (api.md 6)."""

from typing import Final

from workflows_ui.core.readers import (
    EngineObject,
    as_items,
    flag,
    items,
    items_or_none,
    mapping,
    moment,
    part,
    part_or_none,
    parts,
    parts_of,
    text,
    text_or_none,
    texts,
    tree,
    usable_id,
)

#: The status of a flow that is on.
ENABLED: Final = "ENABLED"


class Branch(EngineObject):
    """A branch of a router (api.md 6.3)."""

    __slots__ = ()

    name = text("branchName")
    type = text("branchType")
    #: Groups of which one must hold: lists of conditions that all must hold.
    conditions = items("conditions")

    @property
    def groups(self) -> list[list["Condition"]]:
        """Its conditions by group, without malformed groups and conditions."""
        return [parts_of(group, Condition) for group in self.conditions if isinstance(group, list)]

    @property
    def filled_groups(self) -> list[list["Condition"]]:
        """The groups that are not empty; a malformed condition is an empty one."""
        return [[Condition(item) for item in as_items(group)] for group in self.conditions if as_items(group)]


class Condition(EngineObject):
    """A condition of a branch (api.md 6.3)."""

    __slots__ = ()

    operator = text("operator")
    first = tree("firstValue")
    second = tree("secondValue")


class SourceCode(EngineObject):
    """The code of a code step."""

    __slots__ = ()

    code = tree("code")
    #: The packages that it needs, as JSON.
    packages = text("packageJson")


class StepSettings(EngineObject):
    """The settings of a trigger or step. Code has no piece (api.md 6.3)."""

    __slots__ = ()

    #: The whole name of the piece, with its scope.
    piece_name = text("pieceName")
    piece_version = text("pieceVersion")
    action_name = text("actionName")
    trigger_name = text("triggerName")
    #: The values of the fields, with expressions.
    input = mapping("input")
    #: The branches of a router.
    branches = parts("branches", Branch)
    #: As `branches`, including malformed ones: the chains of a router's steps are in the order of these.
    listed_branches = items("branches")
    #: Which branches a router runs; None for other steps.
    execution_type = text_or_none("executionType")
    #: What a loop goes through; None for other steps.
    loop_items = text_or_none("items")
    source_code = part_or_none("sourceCode", SourceCode)
    continues_on_failure = flag("errorHandlingOptions.continueOnFailure.value")
    retries_on_failure = flag("errorHandlingOptions.retryOnFailure.value")
    _sample_file_id = text("sampleData.sampleDataFileId")

    @property
    def has_sample(self) -> bool:
        """Whether the engine has an output of the step to build and test with."""
        return bool(self._sample_file_id)

    @property
    def operation(self) -> str:
        """The name of the piece's action or trigger."""
        return self.action_name or self.trigger_name

    @property
    def piece(self) -> str:
        """The name of the piece without its scope, under which a fork may publish it; "" without one."""
        return self.piece_name.rpartition("/")[2]


class Step(EngineObject):
    """A trigger or a step, with all steps after and inside it (engine/flow_tree.py walks through them)."""

    __slots__ = ()

    name = text("name")
    display_name = text("displayName")
    type = text("type")
    valid = flag("valid")
    skipped = flag("skip")
    settings = part("settings", StepSettings)
    #: The chains of a router's branches; None for other steps.
    children = items_or_none("children")

    @property
    def title(self) -> str:
        """The display name, else the name; "" without one."""
        return next(filter(str.strip, (self.display_name, self.name)), "")

    @property
    def is_incomplete(self) -> bool:
        """Whether the engine says so."""
        return self.raw.get("valid") is False


class FlowVersion(EngineObject):
    """A version of a flow (api.md 6.2): of a listed flow the latest, which is a draft if it is not the published one."""

    __slots__ = ()

    id = text("id")
    display_name = text("displayName")
    updated = moment("updated")
    updated_by = text("updatedBy")
    valid = flag("valid")
    state = text("state")
    trigger = part("trigger", Step)
    #: On its canvas; engines before 0.83 have none, others a list.
    notes = items_or_none("notes")
    #: External ids found in the inputs of its steps.
    connection_ids = texts("connectionIds")


class Schedule(EngineObject):
    """A schedule that is installed in the engine (recording `flow_get_schedule`)."""

    __slots__ = ()

    cron_expression = text("cronExpression")
    timezone = text("timezone")


class Flow(EngineObject):
    """A flow as the engine lists it or answers for one (recording `flow_get_orders_for_test`)."""

    __slots__ = ()

    id = text("id")
    #: The id if it fits into a URL, else "".
    url_id = usable_id("id")
    external_id = text("externalId")
    folder_id = text("folderId")
    #: Since 0.83.
    owner_id = text("ownerId")
    #: `ENABLED` or `DISABLED`; it says nothing about a flow that was never published.
    status = text("status")
    operation_status = text("operationStatus")
    created = moment("created")
    updated = moment("updated")
    #: "" if it was never published.
    published_version_id = text("publishedVersionId")
    version = part("version", FlowVersion)
    #: null unless a schedule is installed.
    schedule = part("triggerSource.schedule", Schedule)
    #: The one part of a flow's metadata that the engine itself reads (api.md 6.1).
    tags = texts("metadata.tags")

    @property
    def is_published(self) -> bool:
        return bool(self.published_version_id)

    @property
    def has_draft(self) -> bool:
        """Whether there are unpublished changes (api.md 6.2)."""
        published = self.published_version_id
        return bool(published) and published != self.version.id

    @property
    def deleting(self) -> bool:
        """Whether the engine is about to delete it (recording `flow_del_03_get_right_after`)."""
        return self.operation_status == "DELETING"

    @property
    def is_on(self) -> bool | None:
        """Whether it is on; None if it cannot be switched: never published, being deleted, or in an unknown state."""
        if self.deleting or not self.is_published:
            return None
        return {ENABLED: True, "DISABLED": False}.get(self.status)
