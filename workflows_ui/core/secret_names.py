"""Which names denote a secret, in English and Vietnamese, and masking of their values in texts.

Pages, files, the audit log (core/redaction.py) and the proposal of launch forms all use this module.
"""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

MASK = "••••••••"


def _phrases(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.replace("\n", "|").split("|")) - {""}


#: Endings of names, in words without accents: in English the last word is decisive (`client_secret`, not `secret_santa_day`).
_ENDINGS = _phrases(
    """
    password|passwords|passwd|pwd|pword|passphrase|passcode|pass word|pass phrase|pass code|secret|secrets|token|tokens|jwt|bearer
    authorization|auth|oauth|authentication|credential|credentials|creds|signature|signatures|session|cookie|cookies
    otp|totp|hotp|pin|cvv|cvc|csc|security code|verification code|one time code|mfa code|backup codes|recovery codes
    key api|api key|api keys|apikey|apikeys|private key|secret key|access key|encryption key|signing key|shared key|master key
    service key|account key|ssh key|auth key|subscription key|license key|consumer key|client key|session key|storage key
    authkey|privatekey|secretkey|accesskey|signingkey|encryptionkey|sessionkey
    session id|sessionid|sessid|phpsessid|jsessionid|connect sid
    card number|card no|card num|cardnumber|cardno|credit card|debit card|creditcard|pan number|connection string
    db pass|database pass|user pass|smtp pass|ftp pass|mail pass|mysql pass|postgres pass|redis pass|admin pass|root pass|login pass
    wifi pass|proxy pass|basic pass|auth pass
    """
)
#: In Vietnamese the first words are decisive (`mật khẩu wifi`), except after a verb (`nhập lại mật khẩu`).
_VIETNAMESE = _phrases(
    """
    mat khau|matkhau|mat ma|ma pin|mapin|ma otp|maotp|ma cvv|ma xac thuc|maxacthuc|ma xac minh|ma bao mat|mabaomat|ma bi mat
    ma truy cap|ma dang nhap|khoa bi mat|khoabimat|khoa rieng|khoa api|khoa truy cap|khoa ma hoa|chuoi bi mat|bi mat|cau bi mat
    so the|sothe|thong tin dang nhap|thong tin xac thuc|phien dang nhap|chu ky so|token truy cap
    """
)
#: Words at the end of a name that are ignored.
_NEUTRAL = _phrases(
    """
    value|text|hash|code|header|fields|confirm|confirmation|again|repeat|repeated|new|old|current|previous|plain|plaintext|raw
    encrypted|base|string|str|data|input|moi|cu|lai|hien|tai|truy|cap
    """
)
#: Complete names; `mk` abbreviates `mật khẩu`.
_ALONE = (["pass"], ["pw"], ["mk"])
#: Endings of a compound word.
_JOINED = ("password", "passwd", "passphrase", "secret", "apikey", "token", "matkhau", "credentials", "cookie")
#: Names that end like a secret but are not secret: positions in lists, measures of language models, batteries (`pin` in Vietnamese).
_HARMLESS = re.compile(
    r"(?:page|next|previous|sync|continuation|cancellation|cancel|cursor|unexpected) token"
    r"|(?:total|max|min|prompt|completion|input|output|used|cached|reasoning|num|number of|count|limit|remaining) tokens"
    r"|(?:luong|loai|sac|cuc|so|gia|thay|vien) pin|(?:of|per|no|training|email|mail) (?:session|signature)"
)
_WORDS = re.compile(r"[^0-9A-Za-z]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST = 120


def names_secret(name: str) -> bool:
    """Whether a key, a parameter or a label of this name holds a secret, in any spelling: `accessToken`, `ACCESS-TOKEN`.

    Only the beginning and the end of a long name count.
    """
    # A name may be megabytes long: the cache keeps short ones.
    return _denotes_secret(name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]} {name[-_LONGEST // 2 :]}")


@lru_cache(maxsize=20_000)
def _denotes_secret(name: str) -> bool:
    lowered = unicodedata.normalize("NFC", name).lower()
    if "chữ ký" in lowered.replace("_", " ").replace("-", " "):
        return True  # without its accents it means "cycle"
    words = _words(name)
    plain = list(words)
    while len(plain) > 1 and plain[-1] in _NEUTRAL:
        plain.pop()
    return any(map(_are_secret, (words, plain)))


def _words(name: str) -> list[str]:
    # đ is the only Vietnamese letter that Unicode does not decompose.
    bare = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D"))
    bare = "".join(character for character in bare if not unicodedata.combining(character))
    words = (word.rstrip("0123456789").lower() for word in _WORDS.split(bare))
    return [word for word in words if word]


def _are_secret(words: list[str]) -> bool:
    if not words or _HARMLESS.fullmatch(" ".join(words[-2:])):
        return False
    ends = {" ".join(words[-count:]) for count in range(1, 5)}
    if ends & _ENDINGS or ends & _VIETNAMESE:
        return True
    starts = {" ".join(words[:count]) for count in range(2, 5)}
    return bool(starts & _VIETNAMESE) or words in _ALONE or words[-1].endswith(_JOINED)


def masks(value: object) -> bool:
    """Whether a JSON value contains a mask. Keys are never masked, so they are not checked."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str) and MASK in current:
            return True
        if isinstance(current, dict):
            waiting += current.values()
        elif isinstance(current, list):
            waiting += current
    return False


#: Texts without anything that the patterns below begin with; and times, which lists are full of.
_HOLDS_NOTHING = re.compile(r"[^\s/:=：%\\&]*|\d{4}-\d\d-\d\dT[\d:.]{5,15}Z")
_BEARER = re.compile(r"\b((?i:bearer)|Basic|BASIC)\s+[A-Za-z0-9+/=._~-]{8,}")
#: Addresses that need no login: an MCP server (api.md section 14), a file of a run, an invitation (recordings
#: `step_files_signed_download`, `invites_create_platform`). The key is group 2.
_OPEN_ADDRESSES = re.compile(
    r"(/v1/mcp/(?=[0-9A-Za-z]{16})|/v1/step-files/signed\?token=|/invitation\?token=)([^\s\"'<>/?&#\\]+)"
)
#: A slash in an address: as it is, in JSON (`\/`, `\u002f`), in an address or in HTML, any number of times. Possessive: linear time.
_SLASHES = r"(?:\\(?:u00|x)2f|[\\/]|%(?:25)*2f|&(?:amp;)*(?:#(?:x0*2f|0*47)|sol);)++"
#: Addresses that approve, refuse or resume a waiting run, without a login (recordings `approval_04_get_approve_no_sign_in`,
#: `wait_04_resume`, `subflow_wait_02_child_run`), in any spelling. The run's id is masked too: it is enough to resume the run
#: (recording `approval_27_old_route_any_id`), so that no part of what is shown can be called.
_RESUME_ADDRESSES = re.compile(
    rf"(flow-runs){_SLASHES}[0-9a-z_-]{{1,64}}{_SLASHES}(?:(?:requests|waitpoints){_SLASHES}|resume(?![0-9a-z_-]))[^\s\"'<>\\]*",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(://[^\s/:@\"'<>]{1,80}:)[^\s/@\"'<>]{1,200}(?=@)")
#: `<password>…</password>`, also with attributes or as CDATA.
_ELEMENT = re.compile(r"(<(?:[\w.\-]{1,60}:)?([\w.\-]{1,60})(?:\s[^<>]{0,300})?>(?:\s{0,9}<!\[CDATA\[)?)([^<]++)(?=</)")
#: A part of a form that was sent as multipart/form-data.
_PART = re.compile(
    r"""(form-data;[ ]?name="([^"\r\n]{1,80})"[^\r\n]{0,200}(?:\r?\n[^\r\n]{1,200}){0,5}\r?\n\r?\n)(.*?)(?=\r?\n--|\Z)""",
    re.DOTALL,
)
#: `--password …` of a command.
_OPTION = re.compile(r"""((?<!\S)--([A-Za-z][\w-]{1,60})[ ]{1,4})("[^"\n]*"|'[^'\n]*'|[^\s"'-]\S*)""")
_SEPARATOR = re.compile(r"[:=：]|%3[AaDd]")
#: Parameters that are secret in an address only.
_ADDRESS_PARAMETERS = ("key", "sig")
#: Header lines: `Authorization:` is followed by a scheme and its values; after `Cookie:` the whole line counts.
_AUTHORIZATION = re.compile(
    r"""[ \t]{0,4}(?P<value>[^\s"'`<>{}\[\]]+(?:[ ][^\s"'`<>{}\[\]]+)?(?:(?<=,)[ ][^\s`<>{}\[\]]+)*)"""
)
_COOKIES = re.compile(r"""[ \t]{0,4}(?P<value>[^\r\n"'`<>{}\[\]]+)""")
#: The name before a separator, read backwards: in quotes (escaped any number of times), or up to three words.
_BACKWARDS = re.compile(
    r"""\s{0,4}(?:["'`]\\{0,8}(?P<quoted>[^"'`\\\n]{1,60})["'`]|(?P<bare>[\w.\-\[\]%]{1,60}(?:[ ][\w.\-]{1,40}){0,2}))"""
)
_LOOK_BACK = 160
_OPENING = re.compile(r"""[=>:]?\s{0,4}(?P<open>\\{0,8}["'`])?""")
_BARE = re.compile(r"""(?:(?:Bearer|Basic|Token)\s+)?(?P<value>(?:(?!%26)[^\s&"'`<>;,{}()\[\]\\])+)""")
_STRUCTURE = re.compile(r"""["{}\[\]]""")
_STRING = re.compile(r"""(?:\\.|[^"\\])*""", re.DOTALL)
#: Words for an empty value.
_NOTHING = frozenset({"null", "none", "true", "false", "undefined", "nil"})


def mask_text(text: str) -> str:
    """The text with the values of secret names masked: `password=…`, `"token": "…"`, `?api_key=…`, bearer tokens, logins in addresses.
    One pass, in linear time."""
    if _HOLDS_NOTHING.fullmatch(text):
        return text
    if len(text) > 7:
        text = _BEARER.sub(rf"\1 {MASK}", text)
    if "-" in text and "flow-runs" in text.lower():
        text = _RESUME_ADDRESSES.sub(rf"\1/{MASK}", text)
    if "/" in text:
        text = _LOGIN.sub(rf"\1{MASK}", _OPEN_ADDRESSES.sub(rf"\1{MASK}", text))
    if "</" in text:
        text = _ELEMENT.sub(_unless_harmless, text)
    if "form-data;" in text:
        text = _PART.sub(_unless_harmless, text)
    if "--" in text:
        text = _OPTION.sub(_unless_harmless, text)
    parts: list[str] = []
    done = 0
    for found in _SEPARATOR.finditer(text):
        at = found.start()
        name = _name(text, at) if at >= done else ""
        if not name:
            continue
        begin, end = _value(text, found.end(), name if found[0] == ":" else "")
        if end > begin and text[begin:end].strip().lower() not in _NOTHING and MASK not in text[begin:end]:
            parts += [text[done:begin], MASK]
            done = end
    return "".join([*parts, text[done:]]) if parts else text


def _unless_harmless(found: re.Match[str]) -> str:
    """Masks the value (group 3) if its name (group 2) denotes a secret."""
    empty = found[3].strip().lower() in _NOTHING | {""} or MASK in found[3]
    return found[0] if empty or not names_secret(found[2]) else f"{found[1]}{MASK}"


def _name(text: str, at: int) -> str:
    """The name before a separator if it denotes a secret, else an empty text."""
    before = _BACKWARDS.match(text[max(0, at - _LOOK_BACK) : at][::-1])
    if before is None:
        return ""
    name = (before["quoted"] or before["bare"])[::-1]
    if "%" in name:
        name = re.split(r"[?&#/=]", unquote(name))[-1]
    if name in _ADDRESS_PARAMETERS:
        return name if text[at - len(name) - 1 : at - len(name)] in ("?", "&") else ""
    return name if names_secret(name) else ""


def _value(text: str, at: int, header: str) -> tuple[int, int]:
    """Start and end of the value after a separator; equal without a value. `header`: the name before a colon."""
    opening = _OPENING.match(text, at)
    if opening is None:  # it matches an empty text too
        return at, at
    begin = opening.end()
    quote = opening["open"]
    if quote:
        if quote == '"' and (inner := _STRING.match(text, begin)) is not None:
            return begin, inner.end()
        end = text.find(quote, begin)
        return begin, end if end >= 0 else len(text)
    if text[begin : begin + 1] in ("{", "["):
        return begin, _closed(text, begin)
    name = header.lower()
    kind = _AUTHORIZATION if name.endswith("authorization") else _COOKIES if name.endswith("cookie") else _BARE
    bare = kind.match(text, begin)
    if bare is None or bare["value"].startswith("//"):
        return begin, begin
    return bare.start("value"), bare.end("value")


def _closed(text: str, at: int) -> int:
    """The end of the object or list that begins here; the end of the text if it is cut off."""
    depth = 0
    while (found := _STRUCTURE.search(text, at)) is not None:
        at = found.end()
        if found[0] == '"':
            inner = _STRING.match(text, at)
            at = inner.end() + 1 if inner is not None else at
        else:
            depth += 1 if found[0] in "{[" else -1
            if depth <= 0:
                return at
    return len(text)
