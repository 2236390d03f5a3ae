"""Messages to addresses that people enter, such as the channels of a team: sent once, without redirects, cookies and retries."""

import contextlib
from collections.abc import Mapping
from http.client import HTTPException

import requests
from urllib3.exceptions import HTTPError

from .connection import CheckedAdapter
from .transport import USER_AGENT, Route, TooLargeToRead, read_body

#: Bytes of an answer that are read; it is not kept.
LARGEST = 100_000


class NoAnswer(Exception):
    """The server did not answer; it may have got the message. The text is the kind of failure, without the address."""


def post(url: str, body: bytes, headers: Mapping[str, str], route: Route) -> int:
    """Post JSON and return the status of the answer. Each message has a connection of its own, whose peer is checked.

    Raises AddressRefused, NoAnswer.
    """
    route.check(url)
    sent = {"content-type": "application/json", "user-agent": USER_AGENT, "accept-encoding": "identity", **headers}
    adapter = CheckedAdapter()
    try:
        request = requests.Request("POST", url, headers=sent, data=body).prepare()
        with route.open_call(route.timeouts.total) as call:
            response = route.send(adapter, request, route.timeouts.read)
            # The status is all that counts.
            with contextlib.closing(response.raw), contextlib.suppress(TooLargeToRead):
                read_body(response.raw, LARGEST)
            call.watch.check()
            return int(response.status_code)
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        failure = NoAnswer(type(error).__name__)
    finally:
        adapter.close()
    # Raised outside of the handler, so that the exception's context does not hold the address.
    raise failure
