"""The objects in a failed step's error: what services and libraries put in known positions."""

from workflows_ui.core.readers import EngineObject, text, text_or_none, tree, whole_number


class ErrorObject(EngineObject):
    """An object of a service in the error of a failed step. Made of a dictionary with its keys in lower case."""

    __slots__ = ()

    #: A text or a number.
    code = tree("code")
    #: A name of gRPC's, or anything else.
    status = text("status")
    error = text("error")
    message = text("message")
    name = text("name")
    category = text("category")
    description = text_or_none("description")
    #: Slack and Telegram say whether the call succeeded.
    ok = tree("ok")
    telegram_code = whole_number("error_code")
    #: A URL of Twilio's documentation.
    more_info = tree("more_info")
    error_type = text("errortype")
    policy_name = text("policyname")
    momo_code = whole_number("resultcode")
    vnpay_code = text("vnp_responsecode")
    esms_code = text("coderesult")
