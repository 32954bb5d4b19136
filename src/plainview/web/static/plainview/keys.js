// Shortcuts of the player: one letter each, and so they can be switched off (WCAG 2.1.4).

const STORED = "plainview-keys";
const WHEN = ["page", "focus", "off"];

/** Say when shortcuts work: on the whole "page", only with the "focus" in the player, or "off". */
export function keysWork() {
  try {
    const stored = localStorage.getItem(STORED);
    return WHEN.includes(stored) ? stored : "page";
  } catch {
    return "page";
  }
}

/** Remember when shortcuts work. */
export function setKeysWork(when) {
  try {
    localStorage.setItem(STORED, when);
  } catch {
    // Where nothing may be remembered, the choice holds for this page.
  }
}

/**
 * Call does(name) for each shortcut that counts; names[key] is what a key does.
 *
 * Nothing counts while somebody types, with Ctrl, Alt or Meta, in an open dialog, or where the key has a meaning of
 * its own: the space bar on a button, an arrow on a slider.
 */
export function listen(player, names, does) {
  document.addEventListener("keydown", (event) => {
    const name = names[keyOf(event)];
    if (!name || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const when = player.keysWork ?? keysWork();
    if (when === "off" || (when === "focus" && !player.contains(document.activeElement))) return;
    if (document.querySelector("dialog[open]") || takesKey(event.target, event.key)) return;
    event.preventDefault();
    does(name);
  });
}

function keyOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.shiftKey && key.startsWith("Arrow") ? `Shift+${key}` : key;
}

function takesKey(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable]:not([contenteditable='false'])")) return true;
  const input = target.closest("input");
  if (input && !["checkbox", "radio", "range", "button"].includes(input.type)) return true;
  if (input) return key === " " || key === "Home" || key === "End" || key.startsWith("Arrow");
  return (key === " " || key === "Enter") && Boolean(target.closest("button, a, summary, label, [role='button']"));
}
