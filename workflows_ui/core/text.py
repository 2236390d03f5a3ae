"""Texts for people."""

from dataclasses import dataclass

from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True)
class Message:
    title: Text
    text: Text
    next_step: Text = ""
