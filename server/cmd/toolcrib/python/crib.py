"""A crib of tools: people borrow tools and bring them back, with passwords and sessions of its own.

It is an example of a program that Keypeg is built into, which keypeg.py does. It needs Python 3.11 and nothing else:

    CRIB_ORIGIN=http://localhost:8081 CRIB_LISTEN=127.0.0.1:8082 CRIB_DATA=data/crib.json \\
        KEYPEG=http://127.0.0.1:8080 KEYPEG_SECRET_FILE=host.secret python3 crib.py
"""

import copy
import hashlib
import hmac
import html
import json
import os
import secrets
import threading
import time
from contextlib import contextmanager
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import keypeg

COOKIE = "toolcrib"
SESSION_LIFE = 12 * 60 * 60  # seconds
LONGEST_BODY = 64 * 1024
MOST_GUESSES = 10  # of a person's password, in a minute
LOOKS = Path(__file__).resolve().parent.parent


class Crib:
    """What the program knows. Every change is in its file before it is answered; a crib is small."""

    def __init__(self, path):
        self.path = Path(path)
        self.lock = threading.Lock()
        self.kept = {"people": [], "sessions": {}, "tools": []}
        self.guesses = {}  # the times of wrong passwords, by person
        if self.path.exists():
            self.kept = json.loads(self.path.read_text())
        else:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.fill()

    @contextmanager
    def change(self):
        """Gives the data to change. If that fails, nothing has changed."""
        with self.lock:
            next = copy.deepcopy(self.kept)
            yield next
            part = self.path.with_suffix(".part")
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(next, file, indent="\t")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
            self.kept = next

    def fill(self):
        """Fills a new crib, with tools and people."""
        print("A new crib. Its people and their passwords, which are shown only now:")
        with self.change() as kept:
            kept["tools"] = [{"id": str(n), "name": name, "holder": ""} for n, name in enumerate(["Torque wrench", "Thermal camera", "Bench vice"], 1)]
            for name in ["kim", "ann", "bob"]:
                password = secrets.token_hex(8)
                kept["people"].append({"id": secrets.token_hex(8), "name": name, "password": hash_of(password)})
                print(f"  {name}  {password}")

    def person(self, id):
        return next((p for p in self.kept["people"] if p["id"] == id), None)

    def by_password(self, name, password):
        """Returns the person with this name and password. It is 403 if there is none, and 429 after too many guesses."""
        found = next((p for p in self.kept["people"] if p["name"].lower() == name.strip().lower()), None)
        guesses = self.guesses.setdefault(found["id"], []) if found else []
        guesses[:] = [at for at in guesses if at > time.time() - 60]
        if len(guesses) >= MOST_GUESSES:
            return None, 429
        if not is_right(password, found["password"] if found else NOBODY) or not found:
            guesses.append(time.time())
            return None, 403
        guesses.clear()
        return found, 200

    def begin(self, old, person_id, passkey_id):
        """Returns the cookie of a new session in place of an old one. A session's id is the hash of its cookie."""
        token, now = secrets.token_urlsafe(32), int(time.time())
        with self.change() as kept:
            kept["sessions"] = {sid: s for sid, s in kept["sessions"].items() if sid != old and s["begun"] > now - SESSION_LIFE}
            kept["sessions"][sid_of(token)] = {"person": person_id, "begun": now, "proved": now, "passkey": passkey_id}
        return token

    def end_sessions(self, person_id, passkey_id, but):
        """Ends the sessions of a person that began with a passkey, but for one."""
        with self.change() as kept:
            kept["sessions"] = {sid: s for sid, s in kept["sessions"].items() if (s["person"], s["passkey"]) != (person_id, passkey_id) or sid == but}


def sid_of(token):
    return hashlib.sha256(token.encode()).hexdigest()


def hash_of(password, salt=None):
    salt = salt or secrets.token_bytes(16)
    return salt.hex() + ":" + hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1).hex()


def is_right(password, hashed):
    return hmac.compare_digest(hash_of(password, bytes.fromhex(hashed.split(":")[0])), hashed)


NOBODY = hash_of(secrets.token_hex())  # it is compared if a name doesn't exist, so that the answer takes the same time


class Request(BaseHTTPRequestHandler):
    """A request, and who is signed in with its cookie: person, sid and session, or None."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    crib = None  # is set below

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            self.close_connection = True
            return self.answer(413)
        self.body = self.rfile.read(length)
        self.form = {}
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            self.form = dict(parse_qsl(self.body.decode(errors="replace")))
        self.find_session()
        handle = ROUTES.get((self.command, self.path.split("?")[0]))
        if not handle:
            return self.answer(404, "There is nothing here.")
        # A form of another site isn't a person's wish.
        if self.command == "POST" and self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return self.answer(403, "This came from another site.")
        handle(self)

    def find_session(self):
        self.person = self.sid = self.session = None
        try:
            token = SimpleCookie(self.headers.get("Cookie", ""))[COOKIE].value
        except (KeyError, CookieError):
            return
        session = self.crib.kept["sessions"].get(sid_of(token))
        if session and session["begun"] > time.time() - SESSION_LIFE:
            self.person, self.sid, self.session = self.crib.person(session["person"]), sid_of(token), session

    def prove(self, password):
        """Notes that the signed-in person has proved just now who they are, and returns 200, 403 or 429."""
        _, status = self.crib.by_password(self.person["name"], password)
        if status == 200:
            with self.crib.change() as kept:
                kept["sessions"][self.sid]["proved"] = int(time.time())
            self.session = self.crib.kept["sessions"][self.sid]
        return status

    def begin(self, person_id, passkey_id):
        """Signs a person in."""
        token = self.crib.begin(self.sid, person_id, passkey_id)
        secure = "; Secure" if keypeg.ORIGIN.startswith("https://") else ""
        self.redirect("/", f"{COOKIE}={token}; Path=/; Max-Age={SESSION_LIFE}; HttpOnly; SameSite=Lax{secure}")

    def answer(self, status, text="", kind="text/plain", headers=()):
        body = text.encode()
        self.send_response(status)
        for name, value in [
            ("Content-Type", kind + "; charset=utf-8"), ("Content-Length", len(body)), ("Cache-Control", "private, no-cache"),
            ("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"), *headers,
        ]:
            if status != 204 or name != "Content-Length":
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, path, cookie=None):
        self.answer(303, headers=[("Location", path)] + ([("Set-Cookie", cookie)] if cookie else []))

    def refuse(self, sentence, status=403, name=""):
        """Shows the page to sign in at, with a sentence."""
        self.answer(status, page("Sign in", SIGN_IN.format(sentence=notice(sentence), name=html.escape(name))), "text/html")

    def log_message(self, form, *values):
        pass  # addresses say nothing of interest here


def show_tools(r, sentence=""):
    if not r.person:
        return r.redirect("/sign-in")
    menu = MENU.format(introduction=keypeg.introduction(r.person, r.sid, r.session), name=html.escape(r.person["name"]))
    rows = "".join(row(r, tool) for tool in r.crib.kept["tools"])
    content = f'<h1>Tools</h1>\n{notice(sentence)}<ul class="crib-rows">\n{rows}</ul>'
    r.answer(409 if sentence else 200, page("Tools", content, menu), "text/html")


def row(r, tool):
    holder = r.crib.person(tool["holder"])
    name = html.escape(tool["name"])
    fact, button, path = f'{html.escape(holder["name"]) if holder else ""} has it', "", ""
    if not holder:
        fact, button, path = "In the crib", "Borrow", "borrow"
    elif holder == r.person:
        fact, button, path = "You have it", "Bring back", "return"
    if button:
        button = f'<button class="crib-button" form="{path}" name="tool" value="{tool["id"]}" aria-label="{button}: {name}">{button}</button>'
    return f'<li id="tool-{tool["id"]}"><span class="crib-title">{name}</span><span class="crib-quiet">{fact}</span>{button}</li>\n'


def show_sign_in(r):
    r.refuse("", 200)


def sign_in(r):
    name = r.form.get("name", "")
    person, status = r.crib.by_password(name, r.form.get("password", ""))
    if person:
        return r.begin(person["id"], "")
    r.refuse("Too many attempts. Please wait a minute." if status == 429 else "The name or the password is not right.", status, name)


def sign_out(r):
    if r.person:
        with r.crib.change() as kept:
            kept["sessions"].pop(r.sid, None)
        keypeg.end(r.person, r.sid)
    r.redirect("/sign-in", f"{COOKIE}=; Path=/; Max-Age=0")


def borrow(r):
    move(r, "", "Somebody was faster: this tool isn't in the crib any more.")


def bring_back(r):
    move(r, r.person and r.person["id"], "You don't have this tool.")


def move(r, holder, refusal):
    """Moves a tool that this holder has: from the crib to the person, or back."""
    if not r.person:
        return r.redirect("/sign-in")
    with r.crib.change() as kept:
        tool = next((t for t in kept["tools"] if t["id"] == r.form.get("tool")), None)
        is_theirs = tool is not None and tool["holder"] == holder
        if is_theirs:
            tool["holder"] = "" if holder else r.person["id"]
    r.redirect("/") if is_theirs else show_tools(r, refusal)


def show_style(r):
    r.answer(200, (LOOKS / r.path.lstrip("/")).read_text(), "text/css")


ROUTES = {
    ("GET", "/"): show_tools, ("POST", "/borrow"): borrow, ("POST", "/return"): bring_back,
    ("GET", "/sign-in"): show_sign_in, ("POST", "/sign-in"): sign_in, ("POST", "/sign-out"): sign_out,
    ("GET", "/base.css"): show_style, ("GET", "/crib.css"): show_style,
    ("GET", "/keypeg-introduction"): keypeg.introduce, ("POST", "/keypeg-introduction"): keypeg.introduce,
    ("POST", "/keypeg-arrive"): keypeg.arrive, ("POST", "/keypeg-hooks"): keypeg.hear,
}

MENU = """<keypeg-menu introduction="{introduction}" fresh="/keypeg-introduction" offer>{name}
<button slot="items" form="sign-out">Sign out</button></keypeg-menu>"""

SIGN_IN = """<section class="crib-sign-in">
<h1>Sign in</h1>
<p class="crib-quiet">Borrow a tool, or bring one back.</p>
{sentence}<form class="crib-form" method="post" action="/sign-in">
<label>Name <input name="name" value="{name}" autocomplete="username webauthn" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button class="crib-button">Sign in</button>
</form>
<keypeg-sign-in></keypeg-sign-in>
</section>"""


def notice(sentence):
    return f'<p class="crib-notice" role="alert">{html.escape(sentence)}</p>\n' if sentence else ""


def page(title, content, menu=""):
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Tool crib</title>
<link rel="stylesheet" href="/base.css">
<link rel="stylesheet" href="/crib.css">
<script type="module" src="/keypeg/elements.js"></script>
</head>
<body>
<header class="crib-top"><a class="crib-brand" href="/">Tool crib</a>
{menu}</header>
<main class="crib-page">
{content}
</main>
<form id="borrow" method="post" action="/borrow"></form>
<form id="return" method="post" action="/return"></form>
<form id="sign-out" method="post" action="/sign-out"></form>
</body>
</html>
"""


if __name__ == "__main__":
    Request.crib = Crib(os.environ["CRIB_DATA"])
    host, port = os.environ["CRIB_LISTEN"].rsplit(":", 1)
    server = ThreadingHTTPServer((host, int(port)), Request)
    print("The tool crib is open at", keypeg.ORIGIN, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
