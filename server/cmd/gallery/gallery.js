// Opens the dialogs of an exhibit, as the app does.
for (const dialog of document.querySelectorAll("dialog")) dialog.showModal();
document.activeElement?.blur();
