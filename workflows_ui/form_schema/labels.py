"""The displayed name of a value that has only a key: the words of the key, and better ones where their meaning is certain."""

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Longer keys are cut.
_LONGEST = 200
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BREAKS = re.compile(r"[\s_\-.]+")

#: Words that are written in one way only.
_WRITTEN = {
    **{word.lower(): word for word in ("API", "BIC", "CSV", "HTML", "IBAN", "ID", "IP", "JSON", "OTP", "PDF", "PIN")},
    **{word.lower(): word for word in ("PO", "SKU", "SMS", "URL", "URLs", "IDs", "UUID", "VAT", "VIP", "XML")},
    "addr": "address",
    "amt": "amount",
    "msg": "message",
    "num": "number",
    "qty": "quantity",
}


def _named(names: Mapping[Promise, str]) -> dict[str, Promise]:
    return {words: label for label, keys in names.items() for words in keys.split(", ")}


#: Whole keys, as words, whose meaning is certain: English ones with their usual abbreviations, and Vietnamese ones without accents.
_LABELS = _named({
    _("Quantity"): "qty, quantity, so luong, số lượng",
    _("Unit price"): "unit price, don gia, đơn giá",
    _("Price"): "price, gia tien, giá tiền",
    _("Amount"): "amount, amt, so tien, số tiền",
    _("Total"): "total, tong tien, tổng tiền, tong cong, tổng cộng",
    _("Items"): "items, line items, order items",
    _("Order number"): "order no, order num, order number, ma don, ma don hang, mã đơn, mã đơn hàng",
    _("Invoice number"): "invoice no, invoice num, invoice number, so hoa don, số hóa đơn, số hoá đơn",
    _("Contract number"): "contract no, contract number, so hop dong, số hợp đồng",
    _("Account number"): "account no, account number, so tai khoan, số tài khoản",
    _("Serial number"): "serial no, serial num, serial number, so seri, số seri",
    _("Tax code"): "tax code, tax id, ma so thue, mã số thuế, mst",
    _("Phone"): "phone, telephone",
    _("Phone number"): "phone no, phone number, phone num, sdt, so dien thoai, số điện thoại",
    _("Email"): "email, e mail",
    _("Email address"): "email address, dia chi email, địa chỉ email",
    _("Full name"): "full name, fullname, ho ten, ho va ten, họ tên, họ và tên",
    _("Customer"): "customer, khach hang, khách hàng",
    _("Customer name"): "customer name, ten khach hang, tên khách hàng",
    _("Company"): "company, cong ty, công ty",
    _("Department"): "department, dept, phong ban, phòng ban",
    _("Address"): "address, addr, dia chi, địa chỉ",
    _("Delivery address"): "delivery address, shipping address, dia chi giao hang, địa chỉ giao hàng",
    _("City"): "city, thanh pho, thành phố",
    _("Country"): "country, quoc gia, quốc gia",
    _("Start date"): "start date, date from, from date, tu ngay, từ ngày, ngay bat dau, ngày bắt đầu",
    _("End date"): "end date, date to, to date, den ngay, đến ngày, ngay ket thuc, ngày kết thúc",
    _("Due date"): "due date, han thanh toan, hạn thanh toán",
    _("Date of birth"): "date of birth, dob, ngay sinh, ngày sinh",
    _("Note"): "note, ghi chu, ghi chú",
    _("Notes"): "notes",
    _("Description"): "description, mo ta, mô tả",
    _("Reason"): "reason, ly do, lý do",
    _("Content"): "noi dung, nội dung",
    _("Product"): "product, san pham, sản phẩm",
    _("Product name"): "product name, ten san pham, tên sản phẩm",
    _("Product code"): "product code, ma san pham, mã sản phẩm",
})  # fmt: skip


def key_words(key: str) -> str:
    """The words of a key, separated by blanks, at most 200 characters; those of ASCII keys in lower case but for abbreviations."""
    words = _BREAKS.sub(" ", _CAMEL.sub(" ", key[:_LONGEST])).strip()
    if words.isascii():
        words = " ".join(word if word.isupper() else word.lower() for word in words.split(" "))
    return words


def label_from(key: str) -> str:
    """A label made from a key, at most 200 characters: in the active language if the meaning is certain ("qty": "Quantity"), otherwise the
    key's words with a capital first letter ("customer_segment": "Customer segment").
    """
    words = key_words(key)
    if (label := _LABELS.get(words.lower())) is not None:
        return str(label)
    if words.isascii():
        words = " ".join(_WRITTEN.get(word, word) for word in words.split(" "))
    return (words[:1].upper() + words[1:])[:_LONGEST]
