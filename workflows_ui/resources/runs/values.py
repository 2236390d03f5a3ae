"""Inputs and outputs of steps for reading: links, times in the reader's zone, numbers with separators. Nothing is fetched."""

import re

from django.utils.translation import gettext as _

from workflows_ui.launches import answers
from workflows_ui.web import formats
from workflows_ui.web.readable import Node, Room

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)")
_DATA = re.compile(r"data:([a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80})?[^,]{0,300};base64,", re.IGNORECASE)


class ValueRoom(Room):
    def special(self, text: str) -> Node | None:
        """A web address as a link, a moment in the reader's zone, a file in the text as its kind and size."""
        if address := answers.web_address(text):
            return Node("link", address, href=address)
        if _MOMENT.fullmatch(text) and (moment := formats.moment(text)):
            return Node("plain", formats.exact(moment))
        if head := _DATA.match(text[:500]):
            size = max(1, (len(text) - head.end()) * 3 // 4 // 1000)
            return Node("plain", _("%(kind)s, %(size)d kB") % {"kind": head[1] or _("file"), "size": size}, muted=True)
        return None
