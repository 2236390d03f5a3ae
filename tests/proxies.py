"""nginx and HAProxy in front of a web server, with connections to it that stay open."""

import subprocess
from pathlib import Path

from tests import prerequisites
from tests.project.console_process import PATIENCE, free_port, wait_for
from tests.web_server import answers

#: One connection to the web server, so that all people share it.
_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream console {{ server 127.0.0.1:{server}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://console;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            # A HEAD would be sent to the web server as a GET if nginx could store the response; it stores none here.
            proxy_next_upstream off;
        }}
    }}
}}
"""
_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option http-keep-alive
    http-reuse always
    retries 0
frontend people
    bind 127.0.0.1:{port}
    option forwardfor
    default_backend console
backend console
    server console 127.0.0.1:{server} pool-max-conn 1
"""
_CONFIGURATIONS = {"nginx": _NGINX, "haproxy": _HAPROXY}
_OPTIONS = {"nginx": ("-p", "{folder}", "-c"), "haproxy": ("-f",)}


class Proxy:
    """Runs until `stop`."""

    def __init__(self, name: str, folder: Path, server: int) -> None:
        self.port = free_port()
        path = folder / f"{name}.conf"
        path.write_text(_CONFIGURATIONS[name].format(folder=folder, server=server, port=self.port), encoding="utf-8")
        options = [option.format(folder=folder) for option in _OPTIONS[name]]
        with (folder / f"{name}.log").open("wb") as log:
            self._process = subprocess.Popen(
                [prerequisites.program(name), *options, str(path)], stdout=log, stderr=subprocess.STDOUT
            )
        try:
            wait_for(lambda: answers(self.port), name)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the proxy at once."""
        self._process.terminate()
        self._process.wait(PATIENCE)
