"""Which names speak of a secret, in both languages and every way of writing; and where they stand with their values in texts."""

import time
import unicodedata
from pathlib import Path

import pytest

from workflows_ui.core.secret_names import MASK, mask_text, names_secret

_LINES = (Path(__file__).parent / "names_of_secrets.txt").read_text(encoding="utf-8").splitlines()
NAMES = [tuple(line.rsplit(maxsplit=1)) for line in _LINES if line and not line.startswith("#")]


def test_the_table_is_long_enough_to_say_something() -> None:
    assert len(NAMES) >= 60
    assert {answer for _name, answer in NAMES} == {"yes", "no"}


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_a_name_is_decided_on_as_the_table_says(name: str, expected: str) -> None:
    decided = {names_secret(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}
    assert decided == {expected == "yes"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://e.example/x?a=1&token=abc.def&b=2#end", f"https://e.example/x?a=1&token={MASK}&b=2#end"),
        ("https://e.example/x?api_key=abc", f"https://e.example/x?api_key={MASK}"),
        ("/login?next=%2Fa%3Faccess_token%3Dabc%26b%3D2", f"/login?next=%2Fa%3Faccess_token%3D{MASK}%26b%3D2"),
        ("user=lan&password=hunter2&x=1", f"user=lan&password={MASK}&x=1"),
        ('{"user": "lan", "password": "hun\\"ter2", "n": 1', f'{{"user": "lan", "password": "{MASK}", "n": 1'),
        ('Refused: {\\"password\\":\\"hunter2\\",\\"n\\":1}', f'Refused: {{\\"password\\":\\"{MASK}\\",\\"n\\":1}}'),
        ("Error: {'client_secret': 'abc', 'n': 1}", f"Error: {{'client_secret': '{MASK}', 'n': 1}}"),
        ('sent {"credentials": {"user": "a}b", "x": [1]}, "n": 1}', f'sent {{"credentials": {MASK}, "n": 1}}'),
        ('{"pin": 1234, "count": 2', f'{{"pin": {MASK}, "count": 2'),
        ("password: hunter2, user: lan", f"password: {MASK}, user: lan"),
        ("Mật khẩu: bímật9, tên: Lan", f"Mật khẩu: {MASK}, tên: Lan"),
        ("mat_khau=bimat9;ten=Lan", f"mat_khau={MASK};ten=Lan"),
        ("otp => 123456", f"otp => {MASK}"),
        ("Cookie: sid=abc", f"Cookie: {MASK}"),
        ("postgres://app:hunter2@db.example/x", f"postgres://app:{MASK}@db.example/x"),
        ("Authorization: Bearer abcdef1234567890 sent", f"Authorization: Bearer {MASK} sent"),
        ('"password": "cut off in the mid', f'"password": "{MASK}'),
        (
            "<a:Password type='text'>hunter2</a:Password><b>Lan</b>",
            f"<a:Password type='text'>{MASK}</a:Password><b>Lan</b>",
        ),
        ("<token><![CDATA[hunter2]]></token>", f"<token><![CDATA[{MASK}</token>"),
        (
            'form-data; name="password"\r\n\r\nhun\r\nter2\r\n--b--',
            f'form-data; name="password"\r\n\r\n{MASK}\r\n--b--',
        ),
        ("Authorization: ApiKey hunter2", f"Authorization: {MASK}"),
        (
            'Authorization: Digest username="lan", response="abc" sent',
            f'Authorization: {MASK}"lan", response="abc" sent',
        ),
        ("Cookie: a=b; sid=abc\nAccept: */*", f"Cookie: {MASK}\nAccept: */*"),
        ("bearer abcdef1234567890", f"bearer {MASK}"),
        ("curl --password hunter2 --user lan", f"curl --password {MASK} --user lan"),
        ("https://e.example/x?key=abc&sig=def&b=2", f"https://e.example/x?key={MASK}&sig={MASK}&b=2"),
        ("Mật khẩu： bímật9", f"Mật khẩu： {MASK}"),
    ],
)
def test_a_value_beside_its_name_is_masked_in_a_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "tokens_used=12&author=Lan&passenger: Minh",
        '{"password": null, "token": "", "auth": true}',
        "https://e.example/a?page_token=abc&pinned=yes",
        "see token://store.example/x",
        "run --token null --password false",
        "Unexpected token < in JSON at position 0",
        "Password is too short",
        "key: value",
        "",
        "=",
        ":::",
    ],
)
def test_what_only_sounds_alike_stays(text: str) -> None:
    assert mask_text(text) == text


def test_a_name_of_megabytes_is_decided_on_and_not_remembered() -> None:
    assert names_secret("x" * 2_000_000 + "_password")
    assert not names_secret("x" * 2_000_000)


@pytest.mark.parametrize(
    "piece",
    [
        '"name": "Lan", ',
        "password=",
        '"',
        "a ",
        "{",
        '\\"token\\":\\"',
        "token: {",
        "x" * 999 + "=1 ",
        "<token>",
        "<token ",
        "--token '",
        'form-data; name="a"\n\n',
        "Authorization: a b, c=",
        "Cookie: a\n",
        "<a><![CDATA[",
    ],
)
@pytest.mark.sampled(3)
def test_two_megabytes_are_looked_through_in_little_time(piece: str) -> None:
    text = (piece * (2_000_000 // len(piece)))[:2_000_000]
    began = time.process_time()
    mask_text(text)
    assert time.process_time() - began < 5
