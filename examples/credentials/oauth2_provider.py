#!/usr/bin/env python3
"""An account service with API keys and Google-style OAuth2, for the example and its tests. Nothing but the standard library.

Usage: oauth2_provider.py [--port 8089] [--client-id ID] [--client-secret SECRET] [--api-key KEY]

Prints its URL once it listens (--port 0 takes any free port). The user agrees to everything at once: /authorize shows no page.

  GET  /authorize   response_type=code, client_id, redirect_uri, state: redirects back with a code that serves once, for a minute
  POST /token       grant_type=authorization_code (code, redirect_uri) or refresh_token, each with client_id and client_secret
  GET  /userinfo    Authorization: Bearer <access token>
  GET  /key-owner   Authorization: ApiKey <key>
"""
import argparse
import hmac
import http.server
import json
import secrets
import threading
import time
from urllib.parse import parse_qs, urlencode, urlsplit

CODE_SECONDS = 60
TOKEN_SECONDS = 3600
USER = {"sub": "user-1", "name": "Eva Example", "email": "eva@example.com"}


class Accounts:
    """What the service remembers. Thread-safe."""

    def __init__(self, client_id, client_secret, api_key):
        self.client_id, self.client_secret, self.api_key = client_id, client_secret, api_key
        self._lock = threading.Lock()
        self._codes = {}  # code -> (redirect_uri, time it ends)
        self._access_tokens = {}  # token -> time it ends
        self._refresh_tokens = set()

    def is_client(self, form):
        return same(form.get("client_id"), self.client_id) and same(form.get("client_secret"), self.client_secret)

    def new_code(self, redirect_uri):
        with self._lock:
            code = secrets.token_urlsafe(16)
            self._codes[code] = (redirect_uri, time.monotonic() + CODE_SECONDS)
            return code

    def redeem_code(self, code, redirect_uri):
        """The token answer for a code, or None."""
        with self._lock:
            expected_uri, ends = self._codes.pop(code, (None, 0))
            if expected_uri != redirect_uri or time.monotonic() > ends:
                return None
            refresh_token = secrets.token_urlsafe(24)
            self._refresh_tokens.add(refresh_token)
            return {**self._new_access_token(), "refresh_token": refresh_token}

    def refresh(self, refresh_token):
        """The token answer for a refresh token, or None."""
        with self._lock:
            return self._new_access_token() if refresh_token in self._refresh_tokens else None

    def knows_access_token(self, token):
        with self._lock:
            return time.monotonic() < self._access_tokens.get(token, 0)

    def _new_access_token(self):
        token = secrets.token_urlsafe(24)
        self._access_tokens[token] = time.monotonic() + TOKEN_SECONDS
        return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}


def same(given, expected):
    """Compares secrets without telling by the time it takes."""
    return hmac.compare_digest((given or "").encode(), expected.encode())


class Handler(http.server.BaseHTTPRequestHandler):
    accounts = None  # Set before the server starts.

    def do_GET(self):
        url = urlsplit(self.path)
        scheme, _, secret = self.headers.get("Authorization", "").partition(" ")
        if url.path == "/authorize":
            self.authorize(first_values(url.query))
        elif url.path == "/userinfo":
            known = scheme == "Bearer" and self.accounts.knows_access_token(secret)
            self.answer(*((200, USER) if known else (401, {"error": "invalid_token"})))
        elif url.path == "/key-owner":
            known = scheme == "ApiKey" and same(secret, self.accounts.api_key)
            self.answer(*((200, {"owner": USER["name"]}) if known else (401, {"error": "invalid_key"})))
        else:
            self.answer(404, {"error": "not_found"})

    def do_POST(self):
        length = self.headers.get("Content-Length", "0")
        if urlsplit(self.path).path != "/token" or not length.isdigit() or int(length) > 65536:
            self.answer(404, {"error": "not_found"})
            return
        form = first_values(self.rfile.read(int(length)).decode("utf-8", "replace"))
        if not self.accounts.is_client(form):
            self.answer(401, {"error": "invalid_client"})
            return
        grant = form.get("grant_type")
        if grant == "authorization_code":
            tokens = self.accounts.redeem_code(form.get("code"), form.get("redirect_uri"))
        elif grant == "refresh_token":
            tokens = self.accounts.refresh(form.get("refresh_token"))
        else:
            self.answer(400, {"error": "unsupported_grant_type"})
            return
        self.answer(*((200, tokens) if tokens else (400, {"error": "invalid_grant"})))

    def authorize(self, query):
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self.accounts.client_id or not redirect_uri:
            self.answer(400, {"error": "invalid_request"})
        elif query.get("response_type") != "code":
            self.redirect(redirect_uri, {"error": "unsupported_response_type", "state": query.get("state", "")})
        else:
            code = self.accounts.new_code(redirect_uri)
            self.redirect(redirect_uri, {"code": code, "state": query.get("state", "")})

    def redirect(self, uri, fields):
        self.send_response(302)
        # Escaped by urlencode; what comes from the query must not end the header.
        target = uri.replace("\r", "").replace("\n", "")
        self.send_header("Location", target + ("&" if "?" in target else "?") + urlencode(fields))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Requests carry codes and tokens: nothing of them is logged."""


def first_values(query):
    return {name: values[0] for name, values in parse_qs(query).items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8089)
    parser.add_argument("--client-id", default="example-client")
    parser.add_argument("--client-secret", default="example-secret")
    parser.add_argument("--api-key", default="example-key")
    args = parser.parse_args()
    Handler.accounts = Accounts(args.client_id, args.client_secret, args.api_key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", args.port), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
