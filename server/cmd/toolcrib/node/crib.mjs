// A crib of tools: people borrow tools and bring them back, with passwords and sessions of its own.
//
// It is an example of a program that Keypeg is built into, which keypeg.mjs does. It needs Node 20 and nothing else:
//
//   CRIB_ORIGIN=http://localhost:8081 CRIB_LISTEN=127.0.0.1:8082 CRIB_DATA=data/crib.json \
//     KEYPEG=http://127.0.0.1:8080 KEYPEG_SECRET_FILE=host.secret node crib.mjs
import { createHash, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { promisify } from "node:util";

import * as keypeg from "./keypeg.mjs";

const cookie = "toolcrib";
const sessionLife = 12 * 60 * 60; // seconds
const longestBody = 64 * 1024;
const mostGuesses = 10; // of a person's password, in a minute
const looks = path.join(import.meta.dirname, "..");

const now = () => Math.floor(Date.now() / 1000);
const sidOf = (token) => createHash("sha256").update(token).digest("hex");

async function hashOf(password, salt = randomBytes(16)) {
  return salt.toString("hex") + ":" + (await promisify(scrypt)(password, salt, 64)).toString("hex");
}

async function isRight(password, hashed) {
  const tried = await hashOf(password, Buffer.from(hashed.split(":")[0], "hex"));
  return timingSafeEqual(Buffer.from(tried), Buffer.from(hashed));
}

// nobody is compared if a name doesn't exist, so that the answer takes the same time.
const nobody = { password: await hashOf(randomBytes(16)) };

// Crib is what the program knows. Every change is in its file before it is answered; a crib is small.
class Crib {
  #path;
  #guesses = new Map(); // the times of wrong passwords, by person
  kept = { people: [], sessions: {}, tools: [] };

  static async open(path) {
    const crib = new Crib();
    crib.#path = path;
    if (fs.existsSync(path)) crib.kept = JSON.parse(fs.readFileSync(path, "utf8"));
    else await crib.#fill();
    return crib;
  }

  // change changes the data, or nothing if the function fails.
  change(change) {
    const next = structuredClone(this.kept);
    const result = change(next);
    fs.writeFileSync(this.#path + ".part", JSON.stringify(next, null, "\t"), { mode: 0o600, flush: true });
    fs.renameSync(this.#path + ".part", this.#path);
    this.kept = next;
    return result;
  }

  // #fill fills a new crib, with tools and people.
  async #fill() {
    fs.mkdirSync(path.dirname(this.#path), { recursive: true, mode: 0o700 });
    console.log("A new crib. Its people and their passwords, which are shown only now:");
    const people = [];
    for (const name of ["kim", "ann", "bob"]) {
      const password = randomBytes(8).toString("hex");
      people.push({ id: randomBytes(8).toString("hex"), name, password: await hashOf(password) });
      console.log(`  ${name}  ${password}`);
    }
    const tools = ["Torque wrench", "Thermal camera", "Bench vice"].map((name, i) => ({ id: String(i + 1), name, holder: "" }));
    this.change((kept) => Object.assign(kept, { people, tools }));
  }

  person(id) {
    return this.kept.people.find((p) => p.id === id);
  }

  // byPassword returns the person with this name and password, and 200, 403, or 429 after too many guesses.
  async byPassword(name, password) {
    const found = this.kept.people.find((p) => p.name.toLowerCase() === name.trim().toLowerCase());
    const guesses = (this.#guesses.get(found?.id) ?? []).filter((at) => at > now() - 60);
    if (guesses.length >= mostGuesses) return { status: 429 };
    if (found) this.#guesses.set(found.id, [...guesses, now()]); // before it is compared, which takes a moment
    if (!(await isRight(password, (found ?? nobody).password)) || !found) return { status: 403 };
    this.#guesses.delete(found.id);
    return { person: found, status: 200 };
  }

  // begin returns the cookie of a new session in place of an old one. A session's id is the hash of its cookie.
  begin(old, person, passkey) {
    const token = randomBytes(32).toString("base64url");
    this.change((kept) => {
      for (const [sid, { begun }] of Object.entries(kept.sessions)) {
        if (sid === old || begun <= now() - sessionLife) delete kept.sessions[sid];
      }
      kept.sessions[sidOf(token)] = { person, begun: now(), proved: now(), passkey };
    });
    return token;
  }

  // endSessions ends the sessions of a person that began with a passkey, but for one.
  endSessions(person, passkey, but) {
    this.change((kept) => {
      for (const [sid, session] of Object.entries(kept.sessions)) {
        if (session.person === person && session.passkey === passkey && sid !== but) delete kept.sessions[sid];
      }
    });
  }
}

// Request is a request, and who is signed in with its cookie: person, sid and session, or undefined.
class Request {
  #answer;

  constructor(crib, request, answer, body) {
    this.#answer = answer;
    const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
    Object.assign(this, { crib, method: request.method, path: request.url.split("?")[0], headers: request.headers, body });
    this.form = new URLSearchParams(isForm ? body.toString() : "");
    const token = request.headers.cookie?.match(new RegExp(`(?:^|; )${cookie}=([^;]*)`))?.[1];
    const sid = token && sidOf(token);
    const session = Object.hasOwn(crib.kept.sessions, sid) ? crib.kept.sessions[sid] : undefined;
    if (session?.begun > now() - sessionLife) Object.assign(this, { person: crib.person(session.person), sid, session });
  }

  // prove notes that the signed-in person has proved just now who they are, and returns 200, 403 or 429.
  async prove(password) {
    const { status } = await this.crib.byPassword(this.person.name, password);
    if (status === 200) this.session = this.crib.change((kept) => Object.assign(kept.sessions[this.sid], { proved: now() }));
    return status;
  }

  // begin signs a person in.
  begin(personID, passkeyID) {
    const token = this.crib.begin(this.sid, personID, passkeyID);
    const secure = keypeg.origin.startsWith("https://") ? "; Secure" : "";
    this.redirect("/", `${cookie}=${token}; Path=/; Max-Age=${sessionLife}; HttpOnly; SameSite=Lax${secure}`);
  }

  answer(status, text = "", kind = "text/plain", headers = {}) {
    this.#answer.writeHead(status, {
      "Content-Type": kind + "; charset=utf-8",
      "Cache-Control": "private, no-cache",
      "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      "X-Content-Type-Options": "nosniff",
      ...headers,
    });
    this.#answer.end(text);
  }

  redirect(path, setCookie) {
    this.answer(303, "", "text/plain", { Location: path, ...(setCookie && { "Set-Cookie": setCookie }) });
  }

  // refuse shows the page to sign in at, with a sentence.
  refuse(sentence, status = 403, name = "") {
    this.answer(status, page("Sign in", signInForm(sentence, name)), "text/html");
  }
}

// Pages

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text) => text.replace(/[&<>"']/g, (it) => escapes[it]);

function showTools(r, refusal = "") {
  if (!r.person) return r.redirect("/sign-in");
  const menu = `<keypeg-menu introduction="${keypeg.introduction(r.person, r.sid, r.session)}" fresh="/keypeg-introduction" offer>${escaped(r.person.name)}
<button slot="items" form="sign-out">Sign out</button></keypeg-menu>`;
  const rows = r.crib.kept.tools.map((tool) => row(r, tool)).join("");
  r.answer(refusal ? 409 : 200, page("Tools", `<h1>Tools</h1>\n${notice(refusal)}<ul class="crib-rows">\n${rows}</ul>`, menu), "text/html");
}

function row(r, tool) {
  const holder = r.crib.person(tool.holder);
  const name = escaped(tool.name);
  let [fact, button, path] = [`${escaped(holder?.name ?? "")} has it`, "", ""];
  if (!holder) [fact, button, path] = ["In the crib", "Borrow", "borrow"];
  else if (holder.id === r.person.id) [fact, button, path] = ["You have it", "Bring back", "return"];
  if (button) button = `<button class="crib-button" form="${path}" name="tool" value="${tool.id}" aria-label="${button}: ${name}">${button}</button>`;
  return `<li id="tool-${tool.id}"><span class="crib-title">${name}</span><span class="crib-quiet">${fact}</span>${button}</li>\n`;
}

const notice = (sentence) => (sentence ? `<p class="crib-notice" role="alert">${escaped(sentence)}</p>\n` : "");

const signInForm = (sentence, name) => `<section class="crib-sign-in">
<h1>Sign in</h1>
<p class="crib-quiet">Borrow a tool, or bring one back.</p>
${notice(sentence)}<form class="crib-form" method="post" action="/sign-in">
<label>Name <input name="name" value="${escaped(name)}" autocomplete="username webauthn" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button class="crib-button">Sign in</button>
</form>
<keypeg-sign-in></keypeg-sign-in>
</section>`;

const page = (title, content, menu = "") => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Tool crib</title>
<link rel="stylesheet" href="/base.css">
<link rel="stylesheet" href="/crib.css">
<script type="module" src="/keypeg/elements.js"></script>
</head>
<body>
<header class="crib-top"><a class="crib-brand" href="/">Tool crib</a>
${menu}</header>
<main class="crib-page">
${content}
</main>
<form id="borrow" method="post" action="/borrow"></form>
<form id="return" method="post" action="/return"></form>
<form id="sign-out" method="post" action="/sign-out"></form>
</body>
</html>
`;

// What people do

async function signIn(r) {
  const name = r.form.get("name") ?? "";
  const { person, status } = await r.crib.byPassword(name, r.form.get("password") ?? "");
  if (person) return r.begin(person.id, "");
  r.refuse(status === 429 ? "Too many attempts. Please wait a minute." : "The name or the password is not right.", status, name);
}

async function signOut(r) {
  if (r.person) {
    r.crib.change((kept) => delete kept.sessions[r.sid]);
    await keypeg.end(r.person, r.sid);
  }
  r.redirect("/sign-in", `${cookie}=; Path=/; Max-Age=0`);
}

// move moves a tool that this holder has: from the crib to the person, or back.
function move(r, holder, refusal) {
  if (!r.person) return r.redirect("/sign-in");
  const isTheirs = r.crib.change((kept) => {
    const tool = kept.tools.find(({ id }) => id === r.form.get("tool"));
    if (tool?.holder !== holder) return false;
    tool.holder = holder ? "" : r.person.id;
    return true;
  });
  if (isTheirs) r.redirect("/");
  else showTools(r, refusal);
}

const showStyle = (r) => r.answer(200, fs.readFileSync(path.join(looks, r.path)), "text/css");

const routes = {
  "GET /": (r) => showTools(r),
  "POST /borrow": (r) => move(r, "", "Somebody was faster: this tool isn't in the crib any more."),
  "POST /return": (r) => move(r, r.person?.id, "You don't have this tool."),
  "GET /sign-in": (r) => r.refuse("", 200),
  "POST /sign-in": signIn,
  "POST /sign-out": signOut,
  "GET /base.css": showStyle,
  "GET /crib.css": showStyle,
  "GET /keypeg-introduction": keypeg.introduce,
  "POST /keypeg-introduction": keypeg.introduce,
  "POST /keypeg-arrive": keypeg.arrive,
  "POST /keypeg-hooks": keypeg.hear,
};

async function serve(crib, request, answer) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > longestBody) return request.destroy();
    chunks.push(chunk);
  }
  const r = new Request(crib, request, answer, Buffer.concat(chunks));
  const name = `${r.method} ${r.path}`;
  if (!Object.hasOwn(routes, name)) return r.answer(404, "There is nothing here.");
  // A form of another site isn't a person's wish.
  if (r.method === "POST" && (r.headers["sec-fetch-site"] ?? "same-origin") !== "same-origin") return r.answer(403, "This came from another site.");
  await routes[name](r);
}

const crib = await Crib.open(process.env.CRIB_DATA);
const server = http.createServer((request, answer) => {
  serve(crib, request, answer).catch((failure) => {
    console.error(failure);
    answer.destroy();
  });
});
const [host, port] = process.env.CRIB_LISTEN.split(":");
server.listen(Number(port), host, () => console.log("The tool crib is open at", keypeg.origin));
process.once("SIGINT", () => {
  server.close();
  server.closeAllConnections();
});
