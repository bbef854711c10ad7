// Confirms with a passkey who the user is, because another program asks for it. The password of the
// same form works without this file.
//
// Package web puts web/ceremony.js before this file.

// Nothing leads back to the page: who comes back would confirm a request that has been answered.
button.addEventListener("click", () =>
  run(async (signal) => {
    const { ticket, publicKey } = await post(form.dataset.begin, {}, signal);
    await finish({ ticket, credential: await get(publicKey, { signal }) });
    location.replace(form.dataset.next);
  }),
);
