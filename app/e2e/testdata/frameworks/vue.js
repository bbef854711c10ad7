// A page of the shop in Vue: it draws Keypeg's elements as any others, changes what they say, and takes them away.
import { createApp, h, ref } from "vue";

const { introduction, user } = document.getElementById("app").dataset;

createApp({
  setup() {
    const name = ref(user);
    const passkeys = ref("unknown");
    const isThere = ref(true);
    const proofs = ref(0);
    const onKeypegProof = (event) => {
      event.preventDefault();
      proofs.value++;
    };
    return () =>
      h("main", [
        h("p", { id: "passkeys-of" }, passkeys.value),
        h("button", { id: "rename", onClick: () => (name.value = "Ann Miller") }, "Rename"),
        h("button", { id: "leave", onClick: () => (isThere.value = false) }, "Leave"),
        isThere.value
          ? h("keypeg-menu", { introduction, fresh: "/fresh", onKeypegChange: (event) => (passkeys.value = String(event.detail.passkeys)) }, [
              h("span", name.value),
              h("button", { slot: "items", id: "own", onClick: () => (passkeys.value = "asked by the menu") }, "Own line"),
            ])
          : h("div", [h("p", { id: "proofs" }, String(proofs.value)), h("keypeg-panel", { introduction, fresh: "/fresh" }), h("keypeg-sign-in", { onKeypegProof })]),
      ]);
  },
}).mount("#app");
