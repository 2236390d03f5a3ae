"""The run index: copies of the engine's runs, per workspace, and how far they have been read."""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.lease import Lease
from workflows_ui.credentials.models import Credential
from workflows_ui.members.models import Workspace


class Kept(models.IntegerChoices):
    """What an index keeps of the inputs and outputs of steps: each value includes the ones before it."""

    NOTHING = 0, _("Nothing")
    NAMES = 1, _("Names: of the steps and of the members of their inputs and outputs")
    VALUES = 2, _("Values: inputs and outputs, searchable")


class Search(models.IntegerChoices):
    """How the words of runs and launches are stored, and thereby how they are found."""

    KEYED = 0, _("Whole words only (stored as keyed hashes)")
    PLAIN = 1, _("Parts of words: stored as plain text")


class RunIndex(SealsFields, models.Model):
    """A workspace's run index: its settings, and how far it has been read. A workspace without a row has none.

    `spans` is a list of the times whose runs are still to be read (services/spans.py); everything else up to `read_until` was read.
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="run_index")
    #: The credential that reads the runs. Who may use it may see the index. None: it was deleted, and nothing is read or shown.
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, related_name="+")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField()
    #: Number of moves of the workspace at that time: runs of another engine are not shown.
    moves = models.PositiveIntegerField(default=0)
    #: Runs that were created earlier are neither read nor kept.
    keep_days = models.PositiveIntegerField(default=90)
    #: The most runs that are kept, and since when, if there were more: no run that was created earlier is read again.
    keep_runs = models.PositiveIntegerField(default=1_000_000)
    kept_since = models.DateTimeField(null=True)
    #: What is kept of inputs and outputs, for how many days after the run, and at most how many kB of a run.
    kept = models.PositiveSmallIntegerField(default=Kept.NOTHING, choices=Kept)
    values_days = models.PositiveIntegerField(default=30)
    values_kb = models.PositiveIntegerField(default=64)
    #: Days on which flows rest, as texts (2026-12-25): no alarm expects runs on them.
    days_off = models.JSONField(default=list, blank=True)
    #: How words are stored. Runs up to this key still have words stored in the other way (services/rewriting.py); 0: none has.
    search = models.PositiveSmallIntegerField(default=Search.KEYED, choices=Search)
    words_left = models.BigIntegerField(default=0)
    #: The calls for steps of runs since the beginning of a minute (services/values.py).
    values_minute = models.DateTimeField(null=True)
    values_calls = models.PositiveIntegerField(default=0)
    #: When the newest run that was read was created, by the engine's clock.
    read_until = models.DateTimeField(null=True)
    spans = models.JSONField(default=list)
    #: The last complete reading of what is new.
    read_at = models.DateTimeField(null=True)
    #: When the index was last compared with the engine, how many runs the last comparison found missing, and since the beginning.
    compared_at = models.DateTimeField(null=True)
    missed = models.PositiveIntegerField(default=0)
    #: Ciphertext of the key of the words by which runs are found (services/words.py).
    word_key = models.TextField(blank=True)
    #: Grows with every change of the runs, so that what was counted can be kept until then.
    version = models.BigIntegerField(default=0)
    #: Grows with changes of runs that are not recent (services/recent.py), so that what was counted of these is kept for longer.
    past_version = models.BigIntegerField(default=0)
    #: Somebody looks at the runs until then: they are read every few seconds.
    watched_until = models.DateTimeField(null=True)
    #: The lease of the reader of launches' words; and whether words left by an earlier index, or stored in the other way, are deleted.
    words_until = models.DateTimeField(null=True)
    words_cleared = models.BooleanField(default=False)
    due_at = models.DateTimeField(db_index=True)
    lease_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    #: The error of the last reading; empty if it succeeded.
    trouble = models.CharField(max_length=40, blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("word_key",)
    lease: ClassVar[Lease] = Lease()
    words_lease: ClassVar[Lease] = Lease("words_until")

    class Meta:
        verbose_name = _("run index")
        verbose_name_plural = _("run indexes")

    def __str__(self) -> str:
        return str(self.workspace_id)

    @property
    def finds_parts(self) -> bool:
        """Whether words are stored as plain text, so that parts of them are found."""
        return self.search == Search.PLAIN


class IndexedKind(models.Model):
    """How far the index has read one kind of object: flows, connections, tables, folders or MCP servers (services/objects.py)."""

    index = models.ForeignKey(RunIndex, on_delete=models.CASCADE, related_name="kinds")
    #: The name of the resource.
    kind = models.CharField(max_length=20)
    #: The credential that read the objects: with another one, they are read again before they are shown.
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, related_name="+")
    #: When the last complete reading began; None before the first one.
    read_at = models.DateTimeField(null=True)
    #: When the reading in progress began, None without one; and what it has left to read (services/objects.py).
    started_at = models.DateTimeField(null=True)
    left = models.JSONField(default=dict)
    #: When the console last changed an object of this kind.
    changed_at = models.DateTimeField(null=True)
    #: Whether the last complete reading had every object, as far as the engine says.
    complete = models.BooleanField(default=True)
    due_at = models.DateTimeField()
    #: The error of the last reading; empty if it succeeded.
    trouble = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("kind of objects in a run index")
        verbose_name_plural = _("kinds of objects in run indexes")
        constraints = [models.UniqueConstraint(fields=["index", "kind"], name="kind_indexed_once")]

    def __str__(self) -> str:
        return self.kind


class IndexedObject(models.Model):
    """A flow, connection, table, folder or MCP server of the index: ids, names and states, no secrets."""

    index = models.ForeignKey(RunIndex, on_delete=models.CASCADE, related_name="object_rows")
    kind = models.CharField(max_length=20)
    object_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    #: The name without case and accents, by which it is found.
    plain_name = models.CharField(max_length=400, blank=True)
    state = models.CharField(max_length=40, blank=True)
    #: The key by which flows refer to it, if not its id.
    external_id = models.CharField(max_length=200, blank=True)
    folder_id = models.CharField(max_length=64, blank=True)
    #: The piece of a connection, or of a flow's trigger.
    piece = models.CharField(max_length=200, blank=True)
    #: The engine's object, reduced to what services/objects.py lists.
    data = models.JSONField(default=dict)
    #: Of a flow: the version that runs, as far as its steps were read.
    live_version = models.CharField(max_length=64, blank=True)
    #: The beginning of the last reading that found it.
    seen_at = models.DateTimeField()
    #: When it was found to be gone from the engine.
    gone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("indexed object")
        verbose_name_plural = _("indexed objects")
        constraints = [models.UniqueConstraint(fields=["index", "kind", "object_id"], name="object_indexed_once")]

    def __str__(self) -> str:
        return self.object_id


class ObjectUse(models.Model):
    """A reference of a step of a flow, or of a tool of an MCP server, to another object."""

    user = models.ForeignKey(IndexedObject, on_delete=models.CASCADE, related_name="uses", db_index=False)
    #: The used object: the name of its resource, and its id or external id; of an app its whole name.
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    #: The name and title of the step, or of the tool.
    step = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=200, blank=True)
    #: Whether the version that runs does so, and not only the draft.
    live = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("use of an object")
        verbose_name_plural = _("uses of objects")
        indexes = [
            models.Index(fields=["user", "live"], name="uses_by_user"),
            models.Index(fields=["kind", "key", "user"], name="uses_of_object"),
        ]

    def __str__(self) -> str:
        return self.key


#: The runs of the list as it opens: neither archived nor erased.
LISTED = Q(archived__isnull=True, erased_at__isnull=True)


#: The runs whose steps can be read: those that have ended, and that the engine still has.
READABLE = Q(check_at__isnull=True, gone_at__isnull=True, erased_at__isnull=True)
#: `values_read` of a run whose steps could not be read: it is tried once more, after all others.
LATER = -1


class IndexedRun(SealsFields, models.Model):
    """A run of the index. `message` is a ciphertext, bound to the workspace and the run's id."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    run_id = models.CharField(max_length=64)
    flow_id = models.CharField(max_length=64)
    version_id = models.CharField(max_length=64, blank=True)
    flow_name = models.CharField(max_length=200, blank=True)
    #: The engine's status, also one that the console does not know.
    status = models.CharField(max_length=40)
    created = models.DateTimeField()
    #: The engine's own times; `updated` tells whether a run has changed.
    updated = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    archived = models.DateTimeField(null=True)
    #: Milliseconds from start to end; -1 if they are not known. Never empty, since databases sort empty values differently.
    duration = models.BigIntegerField(default=-1)
    failed_step = models.CharField(max_length=100, blank=True)
    failed_step_title = models.CharField(max_length=200, blank=True)
    message = models.TextField(blank=True)
    #: What failures of the same cause share (services/words.py); 0 unless the run failed.
    fingerprint = models.BigIntegerField(default=0)
    #: One a line, with line breaks around all of them, so that a whole tag is found in either database.
    tags = models.TextField(blank=True)
    parent_id = models.CharField(max_length=64, blank=True)
    triggered_by = models.CharField(max_length=64, blank=True)
    #: When a run that has not ended is read again.
    check_at = models.DateTimeField(null=True)
    #: When it was found to be gone from the engine.
    gone_at = models.DateTimeField(null=True)
    #: The kept part of its steps, a value of Kept, or LATER after an error. 0 again once the run has changed.
    values_read = models.SmallIntegerField(default=0)
    #: When a manager erased it: the row is empty, is shown nowhere, and keeps the run from being read again.
    erased_at = models.DateTimeField(null=True)

    #: While a row is written: the texts whose words it is found by, the message first.
    texts: tuple[str, ...] = ()

    sealed_fields: ClassVar[tuple[str, ...]] = ("message",)

    class Meta:
        verbose_name = _("indexed run")
        verbose_name_plural = _("indexed runs")
        constraints = [models.UniqueConstraint(fields=["workspace", "run_id"], name="run_indexed_once")]
        # The order of each sortable column, so that a page is read, and its list counted, from the index alone.
        indexes = [
            *(
                models.Index(
                    fields=["workspace", *fields, "-created", "-id"], condition=LISTED, name=f"listed_runs_{name}"
                )
                for name, fields in {
                    "by_time": (),
                    "of_flow": ("flow_id",),
                    "by_state": ("status",),
                    "by_name": ("flow_name",),
                    "by_length": ("-duration",),
                    "by_step": ("failed_step_title",),
                }.items()
            ),
            models.Index(
                fields=["workspace", "failed_step", "flow_id", "-created", "-id"],
                condition=LISTED & ~Q(failed_step=""),
                name="listed_runs_failed_at",
            ),
            models.Index(
                fields=["workspace", "fingerprint", "-created", "finished"],
                condition=LISTED & ~Q(fingerprint=0),
                name="listed_runs_failed_alike",
            ),
            models.Index(
                fields=["workspace", "-created", "-id"], condition=LISTED & ~Q(tags=""), name="listed_runs_with_tags"
            ),
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="indexed_runs_to_check"),
            models.Index(fields=["workspace", "parent_id"], condition=~Q(parent_id=""), name="indexed_runs_by_parent"),
            # All runs, also archived and erased ones: what is counted, compared and deleted.
            models.Index(fields=["workspace", "created", "erased_at"], name="indexed_runs_by_time"),
            models.Index(
                fields=["workspace", "values_read", "-created"], condition=READABLE, name="runs_to_read_values"
            ),
        ]

    def __str__(self) -> str:
        return self.run_id

    def _column_context(self, field: str) -> str:
        # The row's own key is known only after it was written.
        return f"{self._meta.label_lower}:{self.workspace_id}:{self.run_id}:{field}"

    def bound_values(self) -> Mapping[str, str | int | None]:
        return {"workspace": self.workspace_id, "run": self.run_id}


class RunValues(SealsFields, models.Model):
    """The kept steps of a run. `content` is JSON, masked and sealed, bound to the workspace and the run's id."""

    run = models.OneToOneField(IndexedRun, on_delete=models.CASCADE, primary_key=True, related_name="values")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    #: When the run was created: its values are deleted some days after that.
    created = models.DateTimeField()
    #: A value of Kept, and the bytes of the JSON.
    kept = models.PositiveSmallIntegerField()
    size = models.PositiveIntegerField()
    content = models.TextField()

    sealed_fields: ClassVar[tuple[str, ...]] = ("content",)

    class Meta:
        verbose_name = _("values of a run")
        verbose_name_plural = _("values of runs")
        indexes = [
            models.Index(fields=["workspace", "created"], name="values_by_time"),
            models.Index(fields=["workspace", "kept", "size"], name="values_by_size"),
        ]

    def __str__(self) -> str:
        return str(self.run_id)

    def bound_values(self) -> Mapping[str, str | int | None]:
        return {"workspace": self.workspace_id, "run": self.run.run_id}


class RunWord(models.Model):
    """A word of a run, as a keyed hash."""

    run = models.ForeignKey(IndexedRun, on_delete=models.CASCADE, related_name="words", db_index=False)
    word = models.BigIntegerField()
    #: Whether only its inputs and outputs have it: it is deleted with them.
    of_value = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("word of a run")
        verbose_name_plural = _("words of runs")
        constraints = [models.UniqueConstraint(fields=["run", "word"], name="word_of_run_once")]
        indexes = [models.Index(fields=["word", "run"], name="runs_with_word")]

    def __str__(self) -> str:
        return str(self.run_id)


class RunText(models.Model):
    """The words of a run as plain text, where the index is searched by parts of words (services/run_words.py).

    The words of its message, steps and tags, a line break, and those of its inputs and outputs. There are spaces around each.
    """

    run = models.OneToOneField(IndexedRun, on_delete=models.CASCADE, primary_key=True, related_name="plain_text")
    #: Without a join, whose order the database would have to guess.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    #: Has an index of its parts, which `migrate` makes (services/parts.py).
    text = models.TextField()

    class Meta:
        verbose_name = _("plain words of a run")
        verbose_name_plural = _("plain words of runs")

    def __str__(self) -> str:
        return str(self.run_id)
