"""The watchdog cuts the call whose time is over, and no other one."""

import os
import socket

import pytest

from workflows_ui.engine.watchdog import Watch


def _is_cut(connection: socket.socket) -> bool:
    connection.settimeout(5)
    return connection.recv(1) == b""


def test_a_socket_is_cut_when_the_time_is_over() -> None:
    mine, other = socket.socketpair()
    with mine, other, Watch(0.05) as watch:
        watch.guard(mine)
        assert _is_cut(other)
        assert watch.cut
        assert watch.is_over
        with pytest.raises(OSError, match="deadline"):
            watch.check()


def test_a_socket_named_after_the_time_is_over_is_cut_at_once() -> None:
    mine, other = socket.socketpair()
    with mine, other, Watch(60) as watch:
        watch.fire()
        watch.guard(mine)
        assert _is_cut(other)


def test_a_call_that_ended_cuts_nothing_any_more() -> None:
    mine, other = socket.socketpair()
    with mine, other:
        with Watch(60) as watch:
            watch.guard(mine)
        watch.fire()
        mine.sendall(b"x")
        assert other.recv(1) == b"x"
        assert not watch.cut


def test_a_socket_that_serves_another_call_by_now_is_left_alone() -> None:
    mine, other = socket.socketpair()
    with mine, other, Watch(60) as before, Watch(60) as after:
        before.guard(mine)
        after.guard(mine)
        before.fire()
        mine.sendall(b"x")
        assert other.recv(1) == b"x"
        after.fire()
        assert _is_cut(other)


def test_a_nearer_deadline_is_kept_although_it_came_later() -> None:
    mine, other = socket.socketpair()
    with mine, other, Watch(60), Watch(0.05) as near:
        near.guard(mine)
        assert _is_cut(other)


def test_deadlines_are_kept_in_a_forked_process_too() -> None:
    with Watch(60):
        child = os.fork()
        if child == 0:
            mine, other = socket.socketpair()
            with Watch(0.05) as watch:
                watch.guard(mine)
                cut = _is_cut(other)
            os._exit(0 if cut else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
