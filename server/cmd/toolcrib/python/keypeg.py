"""Builds Keypeg in: people get passkeys, and the crib keeps its people, passwords and sessions."""

import base64
import hmac
import json
import os
import secrets
import time
from urllib import error, parse, request

ORIGIN = os.environ["CRIB_ORIGIN"]  # of the crib, as browsers see it
KEYPEG = os.environ["KEYPEG"]  # where Keypeg listens


def shared_secrets():  # read each time, so that a new one needs no restart
    with open(os.environ["KEYPEG_SECRET_FILE"], encoding="ascii") as file:
        return file.read().split()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def introduction(person, sid, session):
    """Says who is signed in at a page: the attribute of <keypeg-menu>."""
    now = int(time.time())
    claims = {"sub": person["id"], "name": person["name"], "hasPassword": True, "aud": ORIGIN,
              "sid": sid, "proved": session["proved"], "passkey": session["passkey"],
              "iat": now, "exp": now + 300, "jti": secrets.token_hex(16)}
    text = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
    return text + "." + base64url(hmac.digest(shared_secrets()[0].encode(), text.encode(), "sha256"))


def ask(method, path, form=None, cookies=""):
    """Asks Keypeg, as the program. Returns None if Keypeg refuses, or can't be reached."""
    headers = {"Authorization": "Bearer " + shared_secrets()[0], "Cookie": cookies}
    asked = request.Request(KEYPEG + path, form and parse.urlencode(form).encode(), headers, method=method)
    try:
        with request.urlopen(asked, timeout=10) as answer:
            return json.loads(answer.read() or "{}")
    except OSError as failure:
        print("Keypeg:", failure.read().decode() if isinstance(failure, error.HTTPError) else failure, flush=True)


def end(person, sid):
    """Says that a session has ended. If Keypeg doesn't hear it, it ends there with the introduction."""
    ask("DELETE", f"/keypeg/users/{parse.quote(person['id'], '')}/sessions/{parse.quote(sid, '')}")


def redeem(proof, cookies):
    """Returns who has just used a passkey, or None. The browser's cookies say that it was in this browser."""
    return ask("POST", "/keypeg/redeem", {"proof": proof}, cookies)


def heard(headers, body):
    """Returns what Keypeg tells, at least once, or None if somebody else does."""
    key, at, sent = (headers.get("webhook-" + name, "") for name in ("id", "timestamp", "signature"))
    told = f"{key}.{at}.".encode() + body
    right = ["v1," + base64.b64encode(hmac.digest(s.encode(), told, "sha256")).decode() for s in shared_secrets()]
    is_right = any(hmac.compare_digest(own.encode(), one.encode()) for own in right for one in sent.split(" "))
    return json.loads(body) if is_right and abs(time.time() - int(at)) < 300 else None


def introduce(r):  # GET: the page is older than its introduction. POST: they confirm with their password.
    status = 401 if not r.person else 200 if r.command == "GET" else r.prove(r.form.get("password", ""))
    r.answer(status, introduction(r.person, r.sid, r.session) if status == 200 else "")


def arrive(r):
    proved = redeem(r.form.get("proof", ""), r.headers.get("Cookie", ""))
    if not proved:
        return r.refuse("The sign-in with a passkey did not work. Please try again.")
    r.begin(proved["userId"], proved["passkeyId"])


def hear(r):
    event = heard(r.headers, r.body)
    if event and event["type"] == "sessions.end":
        r.crib.end_sessions(event["data"]["userId"], event["data"]["passkeyId"], event["data"].get("except", ""))
    r.answer(204 if event else 401)
