// Opens and closes the dialogs of a page: data-opens names one, data-closes closes the one around it.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});

// One that came back with something to mend is open at once.
document.querySelector("dialog[data-open]")?.showModal();
