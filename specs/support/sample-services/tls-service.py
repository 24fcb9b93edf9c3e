#!/usr/bin/env python3
"""HTTPS with the mesh certificate, on $PORT of the loopback, for clients that show one; until SIGTERM."""
import os
import signal
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODIES = {"/health": "ok", "/hello": f"hello over TLS from Python (pid {os.getpid()})"}


class Identity:
    """One context for all connections; a renewed certificate is loaded into it."""

    def __init__(self):
        self.cert = os.environ["MESH_CERT_FILE"]
        self.seen = 0
        self.context = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=os.environ["MESH_CA_FILE"]
        )
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.refresh()

    def refresh(self):
        changed = os.stat(self.cert).st_mtime_ns
        if changed != self.seen:
            self.seen = changed
            self.context.load_cert_chain(self.cert, os.environ["MESH_KEY_FILE"])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        names = dict(self.connection.getpeercert()["subjectAltName"])
        body = names["URI"] if self.path == "/peer" else BODIES.get(self.path.split("?")[0])
        payload = ((body or "not found") + "\n").encode()
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


class Server(ThreadingHTTPServer):
    identity = Identity()

    def get_request(self):
        connection, address = self.socket.accept()
        self.identity.refresh()
        # The handshake is the handler's thread's: a slow client must not keep others out.
        wrapped = self.identity.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        return wrapped, address

    def handle_error(self, request, client_address):
        print("connection failed:", sys.exc_info()[1], file=sys.stderr)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
