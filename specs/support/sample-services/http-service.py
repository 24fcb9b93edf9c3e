#!/usr/bin/env python3
"""A service that knows nothing of the mesh: HTTP on $PORT of the loopback, until SIGTERM."""
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ.get("SAMPLE_VERSION", "1.0.0")
BODIES = {
    "/health": "ok",
    "/hello": f"hello from Python {VERSION} (pid {os.getpid()})",
    "/version": VERSION,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = BODIES.get(self.path.split("?")[0])
        payload = ((body or "not found") + "\n").encode()
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
