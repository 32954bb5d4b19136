// The rows under a player's timeline: a place that is chosen is played from, one that has the focus is said.

/** Listen to links with data-seek in an element; seek gets seconds. */
export function listenToRows(element, seek) {
  element.addEventListener("click", (event) => {
    const link = event.target.closest("[data-seek]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    seek(Number(link.dataset.seek));
  });
  const said = element.querySelector("[data-part='row-said']");
  if (!said) return;
  const say = (event) => {
    const words = event.target.closest(".tick[data-seek]")?.getAttribute("aria-label") ?? "";
    said.textContent = words;
    said.hidden = !words;
  };
  element.addEventListener("focusin", say);
  element.addEventListener("focusout", () => { said.hidden = true; });
}

/** Go to the page of a recording's next part, and play on there. */
export function goOn(address) {
  const next = new URL(address, location.href);
  next.searchParams.set("play", "1");
  location.assign(next);
}
