"""Samples of steps: stored by an operation, read by file, used instead of steps that a test does not run."""

from typing import Any

from . import tree
from .http import Json
from .state import State

#: The key of the file's id in a step's settings, by kind of sample.
FILE_KEYS = {"OUTPUT": "sampleDataFileId", "INPUT": "sampleDataInputFileId"}


def step_sample(state: State, step: Json, kind: str) -> Any:
    """Return the sample of a step's INPUT or OUTPUT; ``{}`` if none was saved (recording ``sample_data_get_none_saved``)."""
    file = (step["settings"].get("sampleData") or {}).get(FILE_KEYS[kind], "")
    return state.files.get(file, {}).get("payload", {})


def output_samples(state: State, trigger: Json) -> dict[str, Any]:
    """Return the samples of the outputs of all steps, by name."""
    return {step["name"]: step_sample(state, step, "OUTPUT") for step in tree.walk(trigger)}
