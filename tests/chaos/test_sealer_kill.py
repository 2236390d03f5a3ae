"""A process that seals the audit log is killed in the middle of a batch: nothing is half done, and the next one goes on."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from workflows_ui.audit.models import AuditChain, AuditEvent
from workflows_ui.audit.services import audit_log, hash_chain, verification as audit_verification
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core import clock

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]
#: Seals, and stops for ever once the numbers are written and before they are committed.
VICTIM = """
import sys, time
import django
django.setup()
from workflows_ui.audit.services import hash_chain as audit_sealing
written = audit_sealing._write
def stops(marks):
    written(marks)
    print("written", flush=True)
    time.sleep(60)
audit_sealing._write = stops
audit_sealing.seal()
"""


def test_a_sealer_that_is_killed_leaves_its_batch_to_the_next(child_environment: dict[str, str]) -> None:
    for number in range(20):
        audit_log.record(CONSOLE, "odd.row", object_id=str(number))
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM], cwd=ROOT, env=child_environment, stdout=subprocess.PIPE, text=True
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline().strip() == "written"
        if connection.vendor == "postgresql":  # SQLite has one writer at a time anyway
            assert hash_chain.seal() == 0, "the lease is the other's"
        victim.send_signal(signal.SIGKILL)
        victim.wait(20)
    assert AuditEvent.objects.filter(number=None).count() == 20
    assert hash_chain.head().number == 0
    AuditChain.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    assert hash_chain.seal() == 20
    proof = audit_verification.verify()
    assert (proof.problem, proof.rows) == ("", 20)
