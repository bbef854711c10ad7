// Checks one request of a hook with the library of Standard Webhooks, by several keys, and prints which of them it takes.
import { createRequire } from "node:module";

const [folder, request] = process.argv.slice(2);
const { Webhook } = createRequire(folder + "/x.js")("standardwebhooks");
const { headers, body, raw, whsec } = JSON.parse(request);

const takes = (webhook, text) => {
  try {
    return webhook.verify(text, headers).type;
  } catch (failure) {
    return failure.name + ": " + failure.message;
  }
};
const hooks = [...raw.map((key) => new Webhook(key, { format: "raw" })), ...whsec.map((key) => new Webhook(key))];
console.log(JSON.stringify([...hooks.map((webhook) => takes(webhook, body)), takes(hooks[0], body + " ")]));
