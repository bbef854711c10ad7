// A page of the shop in React: it draws Keypeg's elements as any others, changes what they say, and takes them away.
import { createElement as h, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

const { introduction, user } = document.getElementById("app").dataset;

function Page() {
  const [name, setName] = useState(user);
  const [passkeys, setPasskeys] = useState("unknown");
  const [isThere, setThere] = useState(true);
  const [proofs, setProofs] = useState(0);
  const onProof = (event) => {
    event.preventDefault();
    setProofs((n) => n + 1);
  };
  return h(
    "main",
    null,
    h("p", { id: "passkeys-of" }, passkeys),
    h("button", { id: "rename", onClick: () => setName("Ann Miller") }, "Rename"),
    h("button", { id: "leave", onClick: () => setThere(false) }, "Leave"),
    isThere ||
      h("div", null, h("p", { id: "proofs" }, String(proofs)), h("keypeg-panel", { introduction, fresh: "/fresh" }), h("keypeg-sign-in", { "onkeypeg-proof": onProof })),
    isThere &&
      h(
        "keypeg-menu",
        { introduction, fresh: "/fresh", "onkeypeg-change": (event) => setPasskeys(String(event.detail.passkeys)) },
        h("span", null, name),
        h("button", { slot: "items", id: "own", onClick: () => setPasskeys("asked by the menu") }, "Own line"),
      ),
  );
}

createRoot(document.getElementById("app")).render(h(StrictMode, null, h(Page)));
