"""Signals of launches, for features above them."""

from django.dispatch import Signal

#: A launch has failed. Sent in the transaction that writes it, with `launch_id`.
launch_failed = Signal()
