"""Inference of a field's kind from the words of its key, in English and Vietnamese."""

from __future__ import annotations

import re

from workflows_ui.form_schema.document import FieldKind
from workflows_ui.form_schema.labels import key_words

_NAMES: tuple[tuple[FieldKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?:^|_)(?:{words})(?:_|$)"))
    for kind, words in (
        (FieldKind.EMAIL, "e?mail|email_address"),
        (
            FieldKind.PHONE,
            "phone|phone_number|tel|telephone|mobile|sdt|so_dien_thoai|dien_thoai|số_điện_thoại|điện_thoại",
        ),
        (FieldKind.URL, "url|link|website|web_site"),
        (FieldKind.DATE, "date|day|ngay|ngày|birthday|deadline"),
        (FieldKind.TIME, "hour|gio|giờ"),
        (FieldKind.NUMBER, "qty|quantity|amount|price|total|sum|count|so_luong|số_lượng|gia|giá|tien|tiền|percent"),
        (
            FieldKind.LONG_TEXT,
            "message|note|notes|description|content|comment|comments|nội_dung|noi_dung|ghi_chú|ghi_chu|mô_tả",
        ),
    )
)
#: Keys of names and numbers of single persons or things, whose past values are not offered as choices.
_NAMING = re.compile(r"(?:^|_)(?:name|id|no|code|key|number|ten|tên|ma|mã|so|số)(?:_|$)")


def _words(key: str) -> str:
    return key_words(key).lower().replace(" ", "_")


def kind_of(key: str) -> FieldKind:
    """The kind that a key's words suggest; text by default."""
    words = _words(key)
    return next((kind for kind, pattern in _NAMES if pattern.search(words)), FieldKind.TEXT)


def one_of_a_kind(key: str) -> bool:
    """Whether a key identifies a single person or thing."""
    return _NAMING.search(_words(key)) is not None
