"""Requests are answered on one piece of stack, however deep their calls are."""

import resource
from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse

from workflows_ui.web.middleware import whole_stack

CALLS, DEPTH = 200, 300


@pytest.mark.slow
def test_repeated_calls_get_no_memory_from_the_system_at_any_depth() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        _deeper(DEPTH, _faults_of_calls)  # touches the memory of the stack
        return HttpResponse(str(max(_deeper(depth, _faults_of_calls) for depth in range(DEPTH))))

    assert int(whole_stack(view)(HttpRequest()).content) < CALLS / 2


def _deeper(depth: int, act: Callable[[], int]) -> int:
    return _deeper(depth - 1, act) if depth else act()


def _faults_of_calls() -> int:
    """How many pages of memory the thread got from the system meanwhile."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for number in range(CALLS):
        _with_a_larger_frame(number, number, number, number)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def _with_a_larger_frame(one: int, two: int, three: int, four: int) -> tuple[int, ...]:
    five = six = seven = eight = one
    return one, two, three, four, five, six, seven, eight
