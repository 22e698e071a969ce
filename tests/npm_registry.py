"""An npm registry whose packages agree with their own hashes, but are not the published ones."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from monitor.ccusage.package import _machines

NATIVE = f"@ccusage/ccusage-{_machines()[0]}"


@contextmanager
def changed_packages(version: str) -> Iterator[str]:
    """Serve changed packages of a version of ccusage; yield the registry's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path[1:].replace("%2f", "/")
            if name.startswith("files/"):
                data = _tarball(name[len("files/") :], version)
            else:
                data = json.dumps(_about(name, version, address)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()


def _about(name: str, version: str, address: str) -> dict[str, object]:
    digest = base64.b64encode(hashlib.sha512(_tarball(name, version)).digest()).decode()
    dist = {"tarball": f"{address}files/{name}", "integrity": f"sha512-{digest}"}
    versions = {version: {**_manifest(name, version), "dist": dist}}
    return {"name": name, "dist-tags": {"latest": version}, "versions": versions}


def _manifest(name: str, version: str) -> dict[str, object]:
    manifest: dict[str, object] = {"name": name, "version": version}
    if name != "ccusage":
        return manifest
    return {
        **manifest,
        "bin": {"ccusage": "bin/ccusage"},
        "optionalDependencies": {NATIVE: version},
    }


def _tarball(name: str, version: str) -> bytes:
    files = {"package.json": json.dumps(_manifest(name, version)), "bin/ccusage": "#!/bin/sh\n"}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for file, text in files.items():
            info = tarfile.TarInfo(f"package/{file}")
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()
