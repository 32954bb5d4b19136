// What every page does: the choice of colours, kept in a cookie so that the server sends the right ones from the start.

const YEAR_S = 365 * 24 * 60 * 60;

function choose(theme) {
  if (theme) {
    document.documentElement.dataset.theme = theme;
  } else {
    delete document.documentElement.dataset.theme;
  }
  document.cookie = `plainview_theme=${theme}; path=/; max-age=${theme ? YEAR_S : 0}; samesite=lax`;
  // Whoever draws by hand draws again.
  document.dispatchEvent(new CustomEvent("plainview:theme"));
}

const select = document.querySelector("#theme");
if (select) {
  select.closest("label").hidden = false;
  select.addEventListener("change", () => choose(select.value));
}
