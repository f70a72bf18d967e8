"""Real git repositories for tests, and an HTTPS server that serves them to those who log in."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.certificates import write_certificate

_ALLOW = ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Repository:
    """A bare repository, and a working tree to change it from."""

    def __init__(self, folder: Path, name: str = "code") -> None:
        self.tree = folder / f"{name}-tree"
        self.bare = folder / f"{name}.git"
        self.tree.mkdir(parents=True)
        git(self.tree, "init", "--quiet", "--initial-branch", "main")
        git(self.tree, "config", "user.email", "test@example.com")
        git(self.tree, "config", "user.name", "test")
        self.commit({"flow.py": "VERSION = 1\n"})
        subprocess.run(["git", "clone", "--quiet", "--bare", str(self.tree), str(self.bare)], check=True)
        for name in _ALLOW:
            git(self.bare, "config", name, "true")
        git(self.tree, "remote", "add", "origin", str(self.bare))

    @property
    def url(self) -> str:
        return self.bare.as_uri()

    def commit(self, files: dict[str, str]) -> str:
        for name, content in files.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        git(self.tree, "add", ".")
        git(self.tree, "commit", "--quiet", "--message", "change")
        return git(self.tree, "rev-parse", "HEAD")

    def push(self, files: dict[str, str], branch: str = "main") -> str:
        """Commit files and publish them on a branch; its history is replaced."""
        commit = self.commit(files)
        git(self.tree, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return commit


class GitServer:
    """Serves the repositories in a folder over HTTPS, to one user.

    Attributes:
        asked: The users and passwords that were tried.
    """

    def __init__(self, folder: Path, username: str, password: str) -> None:
        self.folder, self.expected = folder, (username, password)
        self.asked: list[tuple[str, str]] = []
        self.certificate = write_certificate(folder / "server.pem", ["127.0.0.1"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def url(self, name: str) -> str:
        return f"https://{self.host}/{name}"

    def __enter__(self) -> GitServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = server._user_of(self.headers.get("Authorization", ""))
                if given:
                    server.asked.append(given)
                if given != server.expected:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self._answer()

            do_POST = do_GET

            def _answer(self) -> None:
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                env = {
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(server.folder),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "REMOTE_USER": "test",
                }
                answer = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True).stdout
                head, _, content = answer.partition(b"\r\n\r\n")
                headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
                self.send_response(int(headers.pop("Status", "200").split()[0]))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _user_of(self, header: str) -> tuple[str, str] | None:
        if not header.startswith("Basic "):
            return None
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return user, password
