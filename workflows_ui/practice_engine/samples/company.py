"""The rest of the sample company: connections, tables, MCP servers, invitations, channel automations."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from workflows_ui.practice_engine import ids
from workflows_ui.practice_engine.accounts import ANH, BAO, HA, HOA_SEN, HOA_SEN_PROJECT, SAO_MAI, SAO_MAI_PROJECT
from workflows_ui.practice_engine.http import Json
from workflows_ui.practice_engine.routes import connections, invitations, mcp, records, tables

from .flows import BY_SLUG

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

SECRET = "practice-only"  # noqa: S105  opens nothing
OAUTH: Json = {"client_id": "practice", "access_token": SECRET, "refresh_token": SECRET}
PEOPLE = [
    "Phạm Thị Mai",
    "Ngô Văn Hùng",
    "Đặng Thuỳ Linh",
    "Bùi Đức Thắng",
    "Võ Ngọc Ánh",
    "Hoàng Gia Bảo",
    "Lý Thanh Hà",
    "Trịnh Công Danh",
]
GOODS = [
    ("TRA-01", "Trà ô long 200 g", 95000),
    ("CFE-12", "Cà phê Buôn Ma Thuột 500 g", 180000),
    ("MAT-03", "Mật ong rừng 350 ml", 150000),
    ("HAT-07", "Hạt điều rang muối 500 g", 165000),
]


def connect(engine: PracticeEngine) -> None:
    """Connections of both projects, one of them broken and one missing."""
    for external, name, piece, kind, status, owner, value in (
        ("gmail-sales", "Gmail phòng kinh doanh", "gmail", "OAUTH2", "ACTIVE", ANH, OAUTH),
        ("mail-support", "Gmail hỗ trợ", "gmail", "OAUTH2", "ACTIVE", BAO, OAUTH),
        ("slack-team", "Slack team", "slack", "OAUTH2", "ERROR", ANH, OAUTH),
        ("openai-main", "OpenAI", "openai", "CUSTOM_AUTH", "ACTIVE", BAO, {"props": {"apiKey": SECRET}}),
        (
            "twilio-main",
            "Twilio SMS",
            "twilio",
            "BASIC_AUTH",
            "ACTIVE",
            BAO,
            {"username": "practice", "password": SECRET},
        ),
        ("telegram-ops", "Telegram vận hành", "telegram-bot", "SECRET_TEXT", "ACTIVE", ANH, {"secret_text": SECRET}),
        ("zalo-oa", "Zalo OA Sao Mai", "zalo-oa", "CUSTOM_AUTH", "MISSING", ANH, {"props": {}}),
        ("http-internal", "Internal service", "http", "NO_AUTH", "ACTIVE", ANH, {}),
    ):
        row = _connection(engine, SAO_MAI_PROJECT, external, name, piece, kind, owner, value)
        row |= {"status": status, "metadata": {"imbraceUserId": owner} if owner == BAO else None}
    shared = _connection(
        engine, SAO_MAI_PROJECT, "sheets-shared", "Google Sheets (shared)", "google-sheets", "OAUTH2", ANH, OAUTH
    )
    shared |= {"scope": "PLATFORM", "projectIds": [SAO_MAI_PROJECT, HOA_SEN_PROJECT]}
    _connection(engine, HOA_SEN_PROJECT, "gmail-ops", "Gmail điều vận", "gmail", "OAUTH2", HA, OAUTH)


def _connection(
    engine: PracticeEngine, project: str, external: str, name: str, piece: str, kind: str, owner: str, value: Json
) -> Json:
    row = connections.new(engine, project, owner, external)
    _keep_as(engine.state.connections, row, f"connection {external}")
    row |= {
        "displayName": name,
        "pieceName": f"@activepieces/piece-{piece}",
        "type": kind,
        "value": {"type": kind, **value},
    }
    return row


def tabulate(engine: PracticeEngine) -> None:
    """Three tables with records."""
    dice = random.Random(7)  # noqa: S311  practice data, no secrets
    states = {"options": [{"value": "mới"}, {"value": "đã thanh toán"}, {"value": "đã giao"}, {"value": "đã huỷ"}]}
    _table(
        engine,
        "customers",
        "Khách hàng",
        [("Họ tên", "TEXT", None), ("Điện thoại", "TEXT", None), ("Ngày tạo", "DATE", None)],
        [
            [name, f"09000000{number:02d}", f"2025-0{1 + number % 9}-1{number % 9}"]
            for number, name in enumerate(PEOPLE)
        ],
    )
    _table(
        engine,
        "goods",
        "Products",
        [("SKU", "TEXT", None), ("Name", "TEXT", None), ("Price", "NUMBER", None), ("Stock", "NUMBER", None)],
        [[sku, name, str(price), str(dice.randint(0, 60))] for sku, name, price in GOODS],
    )
    _table(
        engine,
        "orders",
        "Đơn hàng",
        [
            ("Mã đơn", "TEXT", None),
            ("Khách", "TEXT", None),
            ("Tổng tiền", "NUMBER", None),
            ("Trạng thái", "STATIC_DROPDOWN", states),
            ("Ngày giao", "DATE", None),
        ],
        [
            [
                f"DH-{1000 + number}",
                dice.choice(PEOPLE),
                str(dice.randint(5, 90) * 10000),
                dice.choice(states["options"])["value"],
                f"2025-11-{1 + number % 28:02d}",
            ]
            for number in range(42)
        ],
    )


def _table(
    engine: PracticeEngine, slug: str, name: str, fields: list[tuple[str, str, Any]], rows: list[list[str]]
) -> None:
    table = tables.new_table(engine, SAO_MAI_PROJECT, name)
    _keep_as(engine.state.tables, table, f"table {slug}")
    made = [tables.new_field(engine, table, label, kind, data) for label, kind, data in fields]
    for field in made:
        _keep_as(engine.state.fields, field, f"field {slug} {field['name']}")
    for number, row in enumerate(rows):
        cells = {field["id"]: value for field, value in zip(made, row, strict=True)}
        _keep_as(engine.state.records, records.new(engine, table, cells), f"record {slug} {number}")


def surround(engine: PracticeEngine) -> None:
    """MCP servers, invitations and channel automations."""
    office = _keep_as(engine.state.mcp_servers, mcp.new(engine, SAO_MAI_PROJECT, "Trợ lý bán hàng"), "mcp sales")
    piece: Json = {"pieceName": "@activepieces/piece-gmail", "pieceVersion": "0.9.4", "actionName": "send_email"}
    piece |= {
        "actionDisplayName": "Send Email",
        "logoUrl": "https://pieces.example/gmail.png",
        "connectionExternalId": "gmail-sales",
    }
    office["tools"] = [
        mcp.tool(engine, office, {"type": "PIECE", "toolName": "send_email", "pieceMetadata": piece}),
        mcp.tool(engine, office, {"type": "FLOW", "toolName": "quick_answer", "flowId": BY_SLUG["quick"].id}),
    ]
    _keep_as(engine.state.mcp_servers, mcp.new(engine, SAO_MAI_PROJECT, "Reporting"), "mcp reporting")
    _keep_as(engine.state.mcp_servers, mcp.new(engine, HOA_SEN_PROJECT, "Điều vận"), "mcp shipping")
    for email, kind, project, role, status in (
        ("ngoc.anh@sao-mai.example", "PROJECT", SAO_MAI_PROJECT, None, "PENDING"),
        ("gia.bao@sao-mai.example", "PROJECT", SAO_MAI_PROJECT, None, "ACCEPTED"),
        ("it@sao-mai.example", "PLATFORM", SAO_MAI_PROJECT, "ADMIN", "PENDING"),
    ):
        row = invitations.new(engine, email, kind, project, role)
        row["status"] = status
        _keep_as(engine.state.invitations, row, f"invitation {email}")
    for slug, name, channel, active, organization in (
        ("web", "Trả lời tự động trên web", "web", True, SAO_MAI),
        ("whatsapp", "WhatsApp order updates", "whatsapp", True, SAO_MAI),
        ("facebook", "Facebook: chuyển cho nhân viên", "facebook", False, SAO_MAI),
        ("line", "LINE greetings", "line", True, HOA_SEN),
    ):
        # Behind one of them is a flow: they have the same id.
        identity = BY_SLUG["orders"].id if slug == "whatsapp" else ids.named(f"automation {slug}")
        tags = [{"id": ids.named(f"tag {channel}"), "name": channel}]
        engine.state.automations[identity] = {
            "id": identity,
            "name": name,
            "active": active,
            "tags": tags,
            "channelType": channel,
            "organization": organization,
        }


def _keep_as(rows: dict[str, Json], row: Json, name: str) -> Json:
    """Give a new row the id that belongs to ``name``."""
    del rows[row["id"]]
    row["id"] = ids.named(name)
    rows[row["id"]] = row
    return row
