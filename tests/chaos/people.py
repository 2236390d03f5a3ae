"""People at the browser: they look at pages and launch by the form, until they are stopped, and note what was answered."""

import itertools
import re
import threading
from collections import Counter

import requests
from django.conf import settings
from django.test import Client

from tests.accounts.sign_in import sign_in
from tests.chaos.scene import Scene
from tests.users import credential, person
from workflows_ui.members.models import Member, Role

PEOPLE = 4
PAGES = ("", "launches/", "runs/", "flows/", "credentials/", "flows/{flow}/", "jobs/", "members/")


class Person(threading.Thread):
    """Looks at pages and launches by the form until it is stopped; notes what was answered."""

    def __init__(self, address: str, flow: str, session: str, number: int, pause: float) -> None:
        super().__init__(daemon=True)
        self.accepted: list[str] = []
        self.statuses: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._stopped = threading.Event()
        self._address, self._flow, self._number, self._pause = address, flow, number, pause
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.cookies.set(settings.SESSION_COOKIE_NAME, session)

    def run(self) -> None:
        """Looks at a page and launches, then rests."""
        for turn in itertools.count():
            if self._stopped.wait(self._pause):
                return
            self._ask("GET", PAGES[turn % len(PAGES)].format(flow=self._flow))
            form = self._ask("GET", f"flows/{self._flow}/launch/?_as=json")
            if form is not None and form.status_code == 200:
                hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.text))
                values = {"payload": f'{{"n": "{self._number}-{turn}"}}', "_how": "start", "confirmed": "yes"}
                answer = self._ask("POST", f"flows/{self._flow}/launch/?_as=json", hidden | values)
                if answer is not None and answer.status_code == 303:
                    self.accepted.append(answer.headers["Location"].rstrip("/").rpartition("/")[2])

    def stop(self) -> None:
        """Ends it after the request in hand."""
        self._stopped.set()
        self.join()

    def _ask(self, method: str, path: str, form: dict[str, str] | None = None) -> requests.Response | None:
        try:
            answer = self._http.request(
                method, f"{self._address}/w/sales/{path}", data=form, timeout=60, allow_redirects=False
            )
        except requests.RequestException as problem:
            self.statuses[type(problem).__name__] += 1
            self.wrong.append(f"{method} {path}: {problem}")
            return None
        self.statuses[str(answer.status_code)] += 1
        if answer.status_code == 500 or "/accounts/" in answer.headers.get("Location", ""):
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.headers.get('Location', '')}")
        return answer


def people_of(scene: Scene, address: str, flow: str, pause: float = 0.25) -> list[Person]:
    """Managers of the scene's workspace, signed in, each with a credential, who rest for `pause` seconds between two launches."""
    found = []
    for number in range(PEOPLE):
        user = person(f"person{number}")
        Member.objects.create(workspace=scene.users.workspace, user=user, role=Role.MANAGER)
        credential(scene.users.workspace, user, scene.engine.credentials.bearer_token)
        browser = Client()
        assert sign_in(browser, user.username).status_code == 302
        found.append(Person(address, flow, browser.cookies[settings.SESSION_COOKIE_NAME].value, number, pause))
    return found


def answers(address: str) -> bool:
    """Whether the web server there is up."""
    try:
        return requests.get(f"{address}/healthz", timeout=5).ok
    except requests.RequestException:
        return False
