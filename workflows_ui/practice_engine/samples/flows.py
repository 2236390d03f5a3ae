"""The sample flows: one for each thing that a launch can meet.

Longer than 300 lines: it is data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workflows_ui.practice_engine import ids
from workflows_ui.practice_engine.http import Json

from . import steps
from .steps import chain, code, respond, webhook

SALES, STOCK, OFFICE, CARE = "Bán hàng", "Kho vận", "Back office", "Chăm sóc khách hàng"
BODY = "trigger['body']"
ITEMS: list[Json] = [{"sku": "TRA-01", "qty": 2, "price": 95000}, {"sku": "CFE-12", "qty": 1, "price": 180000}]


@dataclass
class SampleFlow:
    """One sample flow. Its id follows from ``slug`` and never changes.

    ``payload`` is what one would launch it with. ``state``: live, disabled, draft (never published) or changed (with
    unpublished changes). ``often`` tells how many runs it had in two weeks, about.
    """

    slug: str
    name: str
    folder: str | None
    build: Callable[[], Json]
    payload: Json = field(default_factory=dict)
    state: str = "live"
    tags: list[str] = field(default_factory=list)
    often: int = 0
    other_payloads: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The flow's id."""
        return ids.named(f"flow {self.slug}")


def source(marker: str, text: str = "return inputs;") -> str:
    """Code as it stands in the flow, with the practice engine's marker."""
    return f"// practice: {marker}\nexport const code = async (inputs) => {{\n  {text}\n}};"


def _quick() -> Json:
    greet = code("step_1", "Compose the greeting", source("greeting"), name=f"{{{{{BODY}['name']}}}}")
    return chain(webhook(), greet, respond("step_2", {"text": "{{step_1['text']}}", "name": "{{step_1['name']}}"}))


def _orders() -> Json:
    text = "const total = inputs.items.reduce((s, i) => s + i.qty * i.price, 0);\n"
    text += "  return { total, count: inputs.items.length, currency: inputs.currency };"
    total = code(
        "step_1",
        "Tính tổng tiền",
        source("order-total", text),
        items=f"{{{{{BODY}['items']}}}}",
        currency=f"{{{{{BODY}['currency']}}}}",
    )
    body = {"ok": True, "id": f"{{{{{BODY}['id']}}}}", "total": "{{step_1['total']}}"}
    return chain(webhook(), total, respond("step_2", body, 201, x_order_total="{{step_1['total']}}"))


def _waiting(seconds: int, body: Json) -> Callable[[], Json]:
    def build() -> Json:
        wait = code(
            "step_1", f"Chờ hệ thống kho ({seconds} giây)", source(f"sleep {seconds}", f"await wait({seconds});")
        )
        return chain(webhook(), wait, respond("step_2", {**body, "sku": f"{{{{{BODY}['sku']}}}}"}))

    return build


def _failing() -> Json:
    message = "Dòng 7: thiếu cột sku"
    parse = code(
        "step_1", "Đọc tệp", source(f"fail {message}", f'throw new Error("{message}");'), file=f"{{{{{BODY}['file']}}}}"
    )
    return chain(webhook(), parse, respond("step_2", {"imported": True}))


def _pausing() -> Json:
    remind = code("step_2", "Ghi nhận đã nhắc", source('return {"reminded": true}', "return { reminded: true };"))
    return chain(webhook(), steps.delay("step_1", "Chờ 60 giây", 60), remind)


def _refusing() -> Json:
    return chain(webhook(), respond("step_1", {"error": "unprocessable", "field": "taxCode"}, 422))


def _silent() -> Json:
    return chain(webhook(), code("step_1", "Ghi nhật ký", source("echo"), call=f"{{{{{BODY}}}}}"))


def _looping() -> Json:
    line = code(
        "step_2",
        "Tiền một dòng",
        source("line-total", "return { line: inputs.item.qty * inputs.item.price };"),
        item="{{step_1['item']}}",
    )
    body = {"lines": "{{step_1['index']}}", "last": "{{step_2['line']}}"}
    return chain(
        webhook(), steps.loop("step_1", "Từng dòng", f"{{{{{BODY}['items']}}}}", line), respond("step_3", body)
    )


def _routing() -> Json:
    value = f"{{{{{BODY}['amount']}}}}"
    big = code("step_2", "Báo quản lý", source('return {"to": "manager"}'))
    small = code("step_3", "Xử lý tự động", source('return {"to": "automatic"}'))
    vip = code("step_4", "Chăm sóc riêng", source('return {"to": "vip"}'))
    route = steps.router(
        "step_1",
        "Theo giá trị đơn",
        (steps.when("Khách VIP", "BOOLEAN_IS_TRUE", f"{{{{{BODY}['vip']}}}}"), vip),
        (steps.when("Trên 10 triệu", "NUMBER_IS_GREATER_THAN", value, "10000000"), big),
        (steps.otherwise("Còn lại"), small),
    )
    return chain(webhook(), route, respond("step_5", {"routed": True, "amount": value}))


def _sorting() -> Json:
    """A router inside a loop, with an empty branch."""
    order = code("step_3", "Đặt thêm hàng", source("echo"), sku="{{step_1['item']['sku']}}")
    log = code("step_4", "Ghi lại", source("echo"), sku="{{step_1['item']['sku']}}")
    route = steps.router(
        "step_2",
        "Còn ít?",
        (steps.when("Còn ít", "NUMBER_IS_LESS_THAN", "{{step_1['item']['qty']}}", "5"), chain(order, log)),
        (steps.otherwise(), None),
    )
    return chain(
        webhook(),
        steps.loop("step_1", "Từng mặt hàng", f"{{{{{BODY}['items']}}}}", route),
        respond("step_5", {"checked": "{{step_1['index']}}"}),
    )


def _form() -> Json:
    inputs = [
        {"displayName": "Họ và tên", "type": "text", "description": "", "required": True},
        {"displayName": "Số điện thoại", "type": "text", "description": "10 chữ số", "required": True},
        {"displayName": "Nội dung", "type": "text_area", "description": "", "required": False},
    ]
    trigger = steps.piece_trigger(
        "@activepieces/piece-forms", "~0.4.8", "form_submission", "Web Form", response=True, inputs=inputs
    )
    return chain(
        trigger,
        code("step_1", "Ghi nhận", source("echo"), answers=f"{{{{{BODY}}}}}"),
        respond("step_2", {"thanks": True}, piece="forms"),
    )


def _daily() -> Json:
    trigger = steps.piece_trigger(
        "@activepieces/piece-schedule",
        "~0.1.13",
        "every_day",
        "Every Day",
        hour_of_the_day=9,
        timezone="Asia/Ho_Chi_Minh",
        run_on_weekends=True,
    )
    report = code("step_1", "Collect the figures", source('return {"orders": 42, "revenue": 125400000}'))
    return chain(trigger, report, _mail("step_2", "Báo cáo doanh số", "{{step_1}}"))


def _mail(name: str, subject: str, text: str) -> Json:
    return steps.action(
        name,
        "Send the mail",
        "gmail",
        "~0.9.4",
        "send_email",
        auth="{{connections['gmail-sales']}}",
        receiver=["kinh.doanh@sao-mai.example"],
        subject=subject,
        body_type="plain_text",
        body=text,
        draft=False,
    )


def _disabled() -> Json:
    return chain(webhook(), code("step_1", "Fetch old prices", source("echo")), respond("step_2", {"synced": 0}))


def _welcome() -> Json:
    slack = steps.action(
        "step_2",
        "Tell the team",
        "slack",
        "~0.10.1",
        "send_channel_message",
        auth="{{connections['slack-team']}}",
        channel="bán-hàng",
        text=f"Khách mới: {{{{{BODY}['name']}}}}",
    )
    return chain(
        webhook(),
        _mail("step_1", "Chào mừng", f"Xin chào {{{{{BODY}['name']}}}}"),
        slack,
        respond("step_3", {"sent": True}),
    )


def _carry_on() -> Json:
    sms = code(
        "step_1",
        "Send the text message",
        source("fail the provider does not answer", 'throw new Error("...");'),
        True,
        to=f"{{{{{BODY}['phone']}}}}",
    )
    return chain(
        webhook(),
        sms,
        code("step_2", "Note it down", source('return {"noted": true}')),
        respond("step_3", {"accepted": True}),
    )


def _crash(marker: str, label: str) -> Callable[[], Json]:
    return lambda: chain(webhook(), code("step_1", label, source(marker)), respond("step_2", {"done": True}))


def _text() -> Json:
    return chain(
        webhook(),
        respond("step_1", "Hệ thống hoạt động bình thường", kind="raw", content_type="text/plain; charset=utf-8"),
    )


def _redirect() -> Json:
    step = respond("step_1", f"tracking.example/p/{{{{{BODY}['parcel']}}}}", kind="redirect")
    del step["settings"]["input"]["fields"]["status"]
    return chain(webhook(), step)


def _accepting() -> Json:
    accept = respond("step_1", {"accepted": True}, 202, then="respond")
    return chain(
        webhook(),
        accept,
        code("step_2", "The long part", source("sleep 5")),
        code("step_3", "Finish", source('return {"finished": true}')),
    )


def _partner() -> Json:
    fields = {"headerName": "x-partner-key", "headerValue": "practice-partner"}
    return chain(
        webhook(authType="header", authFields=fields),
        code("step_1", "Take the order", source("echo"), order=f"{{{{{BODY}}}}}"),
        respond("step_2", {"taken": True}),
    )


def _draft() -> Json:
    return chain(
        webhook(),
        code("step_1", "Hỏi thăm", source("echo")),
        steps.loop("step_2", "Từng khách", "", code("step_3", "Soạn tin", source("echo"))),
    )


def _shipping() -> Json:
    return chain(
        webhook(),
        code("step_1", "Plan the route", source('return {"route": ["HCM", "Đà Nẵng", "Hà Nội"]}')),
        respond("step_2", {"route": "{{step_1['route']}}"}),
    )


def _payload(**values: Any) -> Json:
    return values


FLOWS = [
    SampleFlow(
        "quick",
        "Greet a customer",
        SALES,
        _quick,
        _payload(name="Lan"),
        often=30,
        other_payloads=[_payload(name="Hùng")],
    ),
    SampleFlow(
        "orders",
        "Tiếp nhận đơn hàng",
        SALES,
        _orders,
        _payload(id="DH-1042", currency="VND", items=ITEMS),
        tags=["orders"],
        often=40,
        other_payloads=[_payload(id="DH-1043")],
    ),
    SampleFlow(
        "eight", "Kiểm tra tồn kho (8 giây)", STOCK, _waiting(8, {"available": 14}), _payload(sku="TRA-01"), often=16
    ),
    SampleFlow(
        "slow",
        "Đối chiếu công nợ (35 giây)",
        OFFICE,
        _waiting(35, {"reconciled": True}),
        _payload(sku="THANG-10"),
        often=4,
    ),
    SampleFlow("failing", "Nhập bảng giá", STOCK, _failing, _payload(file="bang-gia-thang-11.csv"), often=6),
    SampleFlow("pausing", "Nhắc khách sau 60 giây", CARE, _pausing, _payload(phone="0900000001"), often=8),
    SampleFlow("refusing", "Kiểm tra mã số thuế", OFFICE, _refusing, _payload(taxCode="0000000000"), often=5),
    SampleFlow("silent", "Ghi nhật ký cuộc gọi", CARE, _silent, _payload(phone="0900000002", seconds=95), often=12),
    SampleFlow("looping", "Tính tiền từng dòng", SALES, _looping, _payload(items=ITEMS), often=7),
    SampleFlow(
        "routing",
        "Chuyển đơn theo giá trị",
        SALES,
        _routing,
        _payload(amount=12500000, vip=False),
        often=9,
        other_payloads=[_payload(amount=80000), _payload(amount=1, vip=True)],
    ),
    SampleFlow(
        "sorting",
        "Low stock check",
        STOCK,
        _sorting,
        _payload(items=[{"sku": "TRA-01", "qty": 3}, {"sku": "CFE-12", "qty": 40}]),
        often=4,
    ),
    SampleFlow(
        "form",
        "Đăng ký tư vấn",
        CARE,
        _form,
        {"Họ và tên": "Phạm Thị Mai", "Số điện thoại": "0900000003", "Nội dung": "Tư vấn trà ô long"},
        often=6,
    ),
    SampleFlow("daily", "Daily sales report", OFFICE, _daily, {}, tags=["reports"]),
    SampleFlow("disabled", "Old price sync", STOCK, _disabled, _payload(day="2025-01-31"), state="disabled"),
    SampleFlow("draft", "Chăm sóc sau bán (nháp)", CARE, _draft, {}, state="draft"),
    SampleFlow(
        "changed",
        "Welcome mail",
        SALES,
        _welcome,
        _payload(name="Lan", email="lan@example.com"),
        state="changed",
        often=6,
    ),
    SampleFlow("carry-on", "Text message, carry on", CARE, _carry_on, _payload(phone="0900000004"), often=3),
    SampleFlow("memory", "Gộp dữ liệu năm", None, _crash("memory", "Gộp"), _payload(year=2024), often=1),
    SampleFlow("exit", "Legacy connector", None, _crash("exit", "Call the old system"), _payload(job=1), often=1),
    SampleFlow("endless", "Endless import", None, _crash("hang", "Wait for the file"), _payload(file="x.csv")),
    SampleFlow("text", "Plain text status", OFFICE, _text, {}, often=3),
    SampleFlow("redirect", "Track a parcel", STOCK, _redirect, _payload(parcel="SM-77"), often=2),
    SampleFlow("accepting", "Accept now, work later", OFFICE, _accepting, _payload(job=7), often=3),
    SampleFlow("partner", "Partner orders", SALES, _partner, _payload(id="P-1")),
]
ELSEWHERE = [
    SampleFlow("shipping", "Plan a delivery route", "Vận chuyển", _shipping, _payload(parcel="HS-1"), often=5),
    SampleFlow("customs", "Hồ sơ hải quan", "Vận chuyển", _silent, _payload(file="TK-1"), often=3),
]
BY_SLUG = {flow.slug: flow for flow in FLOWS + ELSEWHERE}
