"""A small HTTP server on loopback that answers as it is told.

    server = LittleServer(lambda exchange: exchange.answer(200, {"asked": exchange.json()}))
    server.url
    server.close()
"""

import http.server
import json
import threading


class Exchange:
    """One request, and its answer: body is its bytes, path and headers are what they are."""

    def __init__(self, handler):
        self.handler, self.path, self.headers = handler, handler.path, handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))

    def json(self):
        return json.loads(self.body or b"null")

    def answer(self, status, content, headers=None):
        self.answer_bytes(status, json.dumps(content).encode(), headers=headers)

    def answer_bytes(self, status, body, content_type="application/json", headers=None):
        try:
            self.handler.send_response(status)
            self.handler.send_header("Content-Type", content_type)
            self.handler.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.handler.send_header(name, value)
            self.handler.end_headers()
            self.handler.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # who asked did not want all of it

    def hang_up(self):
        self.handler.close_connection = True


class LittleServer:
    """respond(exchange) runs in a thread of its connection. tls: a server's context; without
    keeps_alive a connection has one request."""

    def __init__(self, respond, port=0, tls=None, keeps_alive=True):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1" if keeps_alive else "HTTP/1.0"

            def respond(self):
                respond(Exchange(self))

            do_GET = do_POST = respond

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class MoodyServer:
    """One who is asked, and whose mood, a function of an exchange, says what is done about it."""

    def __init__(self, mood):
        self.mood = mood
        self.closing = threading.Event()
        self.server = LittleServer(self.respond)
        self.url = self.server.url

    def respond(self, exchange):
        self.mood(exchange)

    def close(self):
        self.closing.set()
        self.server.close()
