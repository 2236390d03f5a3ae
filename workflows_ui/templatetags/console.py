"""Template tags and filters of the console."""

from django import template

register = template.Library()
