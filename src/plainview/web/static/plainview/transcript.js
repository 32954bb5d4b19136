// The transcript beside a player: follows the sound, plays from any word, finds words. Every text is set as text.

const UNSURE_BELOW = 0.5;
// Whoever has just scrolled wants to read there.
const REST_AFTER_SCROLL_MS = 4000;

const plain = (text) => text.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

export class TranscriptPanel {
  /** parts: the elements by name; onSeek(seconds) plays from there; onCue(text) is told what is said now. */
  constructor(parts, { onSeek, onCue }) {
    Object.assign(this, { parts, onSeek, onCue });
    this.words = [];
    this.cues = [];
    this.here = -1;
    this.cueHere = -1;
    this.found = [];
    this.foundHere = -1;
    this.scrolledAt = -Infinity;
    parts.cues.addEventListener("click", (event) => this.#play(event.target));
    parts.cues.addEventListener("keydown", (event) => this.#key(event));
    for (const kind of ["wheel", "touchmove", "pointerdown"]) {
      parts.cues.addEventListener(kind, () => { this.scrolledAt = performance.now(); }, { passive: true });
    }
    parts["find-words"].addEventListener("input", () => this.find());
    parts["find-words"].addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.findNext(event.shiftKey ? -1 : 1);
    });
  }

  /** Show a transcript as the server sends it: notice, made, cues of words. */
  show({ notice, made, cues }) {
    const { parts } = this;
    parts.notice.textContent = notice;
    parts.notice.title = made;
    parts.notice.hidden = false;
    parts.find.hidden = parts.ways.hidden = cues.length === 0;
    if (cues.length === 0) {
      parts.cues.replaceChildren(paragraph("No words were found."));
      return;
    }
    parts.cues.replaceChildren(...cues.map((cue) => this.#cue(cue)));
    parts.legend.hidden = !parts.cues.querySelector(".unsure");
    this.words[0].element.tabIndex = 0;
    this.find();
  }

  /** Mark what is said at this moment. */
  at(seconds) {
    const ms = seconds * 1000;
    const cue = lastBefore(this.cues, ms);
    const isSaid = cue >= 0 && ms <= this.cues[cue].end + 400;
    if (cue !== this.cueHere || isSaid !== this.isSaid) {
      this.cues[this.cueHere]?.element.classList.remove("here");
      [this.cueHere, this.isSaid] = [cue, isSaid];
      if (isSaid) this.cues[cue].element.classList.add("here");
      this.onCue(isSaid ? this.cues[cue].text : "");
      if (cue >= 0) this.#follow(this.cues[cue].element);
    }
    const word = isSaid ? lastBefore(this.words, ms) : -1;
    if (word === this.here) return;
    this.words[this.here]?.element.classList.remove("here");
    this.words[word]?.element.classList.add("here");
    this.here = word;
  }

  /** Put the focus on the word that is said, or on the first. */
  focus() {
    const word = this.words[Math.max(0, this.here)];
    if (word) this.#rove(word.element);
    else this.parts.cues.focus();
  }

  /** Mark every place where the words looked for are said one after the other. */
  find() {
    for (const first of this.found) for (const word of this.#run(first)) word.element.classList.remove("found", "found-here");
    this.looked = this.parts["find-words"].value.split(/\s+/).map(plain).filter(Boolean);
    this.found = this.looked.length ? this.words.map((_, i) => i).filter((i) => this.#matches(i)) : [];
    this.foundHere = -1;
    for (const first of this.found) for (const word of this.#run(first)) word.element.classList.add("found");
    this.#sayFound();
  }

  /** Go to the next place found, or with -1 to the one before. */
  findNext(step = 1) {
    if (!this.found.length) return;
    for (const word of this.#run(this.found[this.foundHere])) word.element.classList.remove("found-here");
    this.foundHere = (this.foundHere + step + this.found.length) % this.found.length;
    const run = this.#run(this.found[this.foundHere]);
    for (const word of run) word.element.classList.add("found-here");
    this.#scrollTo(run[0].element);
    this.onSeek(run[0].start / 1000);
    this.#sayFound();
  }

  #sayFound() {
    const count = this.found.length;
    const place = this.foundHere < 0 ? "" : `${this.foundHere + 1} of `;
    this.parts["find-count"].textContent = this.looked.length ? `${place}${count || "none"} found` : "";
  }

  #matches(first) {
    const last = this.looked.length - 1;
    return this.looked.every((looked, i) => {
      const said = this.words[first + i]?.plain ?? "";
      return i === last ? said.startsWith(looked) : said === looked;
    });
  }

  #run(first) {
    return first === undefined ? [] : this.words.slice(first, first + this.looked.length);
  }

  #cue({ start_ms: start, end_ms: end, words }) {
    const line = document.createElement("p");
    line.className = "cue";
    const time = document.createElement("span");
    time.className = "cue-time";
    time.textContent = clockOf(start);
    line.append(time);
    const said = document.createElement("span");
    said.className = "said";
    for (const [from, to, text, confidence] of words) {
      const element = document.createElement("span");
      element.className = "word";
      element.setAttribute("role", "button");
      element.tabIndex = -1;
      element.textContent = text;
      if (confidence !== null && confidence < UNSURE_BELOW) element.classList.add("unsure");
      element.wordNumber = this.words.length;
      this.words.push({ start: from, end: to, element, plain: plain(text) });
      said.append(element, " ");
    }
    line.append(said);
    this.cues.push({ start, end, element: line, text: words.map((word) => word[2]).join(" ") });
    return line;
  }

  #play(target) {
    const line = target.closest(".cue");
    if (!line) return;
    const word = target.closest(".word") ?? line.querySelector(".word");
    this.#rove(word);
    this.onSeek(this.words[word.wordNumber].start / 1000);
  }

  #key(event) {
    const number = event.target.wordNumber;
    if (number === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const steps = { ArrowLeft: number - 1, ArrowRight: number + 1, Home: 0, End: this.words.length - 1 };
    const cue = event.target.closest(".cue");
    steps.ArrowUp = cue.previousElementSibling?.querySelector(".word").wordNumber ?? number;
    steps.ArrowDown = cue.nextElementSibling?.querySelector(".word").wordNumber ?? number;
    if (event.key === "Enter" || event.key === " ") this.#play(event.target);
    else if (event.key in steps) this.#rove(this.words[Math.min(Math.max(0, steps[event.key]), this.words.length - 1)].element);
    else return;
    event.preventDefault();
  }

  #rove(element) {
    this.parts.cues.querySelector(".word[tabindex='0']")?.setAttribute("tabindex", "-1");
    element.tabIndex = 0;
    element.focus({ preventScroll: true });
    this.#scrollTo(element);
  }

  #follow(element) {
    const rested = performance.now() - this.scrolledAt > REST_AFTER_SCROLL_MS;
    if (this.parts.follow.checked && rested && !this.parts.cues.contains(document.activeElement)) this.#scrollTo(element);
  }

  // Only the list scrolls, never the page under it.
  #scrollTo(element) {
    const { cues } = this.parts;
    const line = element.closest(".cue");
    const top = line.offsetTop - cues.offsetTop;
    const isShown = top >= cues.scrollTop && top + line.offsetHeight <= cues.scrollTop + cues.clientHeight;
    if (!isShown) cues.scrollTop = top - cues.clientHeight / 3;
  }
}

function lastBefore(rows, ms) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].start <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function clockOf(ms) {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

function paragraph(text) {
  const element = document.createElement("p");
  element.className = "second";
  element.textContent = text;
  return element;
}
