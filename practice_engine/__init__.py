"""A stand-in workflow engine, for practice workspaces and for tests. It does not import the rest of the project.

engine = PracticeEngine(clock_scale=0.05)      # twenty times faster
server = serve(engine, port=0)                 # server.url; Activepieces at url + "/api", the gateway at url + "/imbrace"
engine.faults.add("html", "GET", "/v1/flows", times=1)
engine.journal.triggers()                      # what arrived
server.stop()
engine.close()
"""

from .accounts import Credentials
from .engine import PracticeEngine
from .journal import Journal, Received
from .server import Server, serve, wait_until_listening
