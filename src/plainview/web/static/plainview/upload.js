// <pv-upload>: choose files or drop them anywhere on the page; each is sent, checked by the server, and its result shown.

import { StoppedError, Upload, fingerprint, forget, unfinished } from "./tus.js";

const ASK_AGAIN_MS = 1000;
const BUSY = new Set(["waiting", "sending", "checking"]);

class UploadPanel extends HTMLElement {
  connectedCallback() {
    this.rows = this.querySelector("ol");
    this.template = this.querySelector("template");
    this.spoken = this.querySelector("[role=status]");
    this.queue = [];
    this.isRunning = false;
    this.querySelector("input[type=file]").addEventListener("change", (event) => {
      this.add(event.target.files);
      event.target.value = "";
    });
    this.querySelector("button.choose").addEventListener("click", () => this.querySelector("input[type=file]").click());
    this.takeDrops();
    this.showUnfinished();
    window.addEventListener("beforeunload", (event) => {
      if (this.queue.some((row) => BUSY.has(row.state))) event.preventDefault();
    });
  }

  takeDrops() {
    let depth = 0;
    const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
    const mark = (step) => {
      depth = Math.max(0, depth + step);
      this.classList.toggle("over", depth > 0);
    };
    document.addEventListener("dragenter", (event) => holdsFiles(event) && mark(1));
    document.addEventListener("dragleave", (event) => holdsFiles(event) && mark(-1));
    document.addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
    document.addEventListener("drop", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      mark(-depth);
      const isFolder = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()?.isDirectory ?? false);
      this.add([...event.dataTransfer.files].filter((_, n) => !isFolder[n]));
      if (isFolder.includes(true)) this.say("A folder cannot be dropped. Open it, and drop the files in it.");
    });
  }

  // A browser may not open files by itself after a reload: they have to be chosen once more.
  showUnfinished() {
    const left = unfinished();
    const note = this.querySelector(".unfinished");
    note.hidden = left.length === 0;
    note.querySelector(".names").textContent = left.map(({ name }) => name).join(", ");
    note.querySelector("button").onclick = () => {
      left.forEach(({ key }) => forget(key));
      note.hidden = true;
    };
  }

  add(files) {
    for (const file of files) this.addRow(file);
    this.showUnfinished();
    this.runNext();
  }

  addRow(file) {
    const element = this.template.content.firstElementChild.cloneNode(true);
    const row = { file, element, state: "waiting", begunAt: 0, begunBytes: 0 };
    element.querySelector(".name").textContent = file.name;
    element.querySelector(".size").textContent = size(file.size);
    element.querySelector(".pause").onclick = () => this.pauseOrGoOn(row);
    element.querySelector(".cancel").onclick = () => this.cancel(row);
    row.upload = new Upload(file, {
      address: this.dataset.address,
      onProgress: (sent) => this.showProgress(row, sent),
      onWait: (sentence, seconds) => this.show(row, "sending", `${sentence}. Trying again in ${Math.ceil(seconds)} s.`),
    });
    this.rows.append(element);
    this.rows.hidden = false;
    this.queue.push(row);
    if (file.size === 0) this.end(row, "stop", "Refused: the file is empty.");
    else this.show(row, "waiting", "Waiting");
  }

  async runNext() {
    const row = this.queue.find((candidate) => candidate.state === "waiting");
    if (this.isRunning || !row) return;
    this.isRunning = true;
    await this.send(row);
    this.isRunning = false;
    this.runNext();
  }

  async send(row) {
    this.show(row, "sending", "Beginning");
    row.begunAt = 0;
    try {
      const url = await row.upload.run();
      this.show(row, "checking", "Sent. Being checked");
      this.followResult(row, url);
    } catch (error) {
      if (error instanceof StoppedError) return;
      this.show(row, "paused", error.message);
      this.say(`${row.file.name}: ${error.message}`);
    }
  }

  // Sending is one file at a time; what the server checks meanwhile is asked for beside it.
  async followResult(row, url) {
    for (let failures = 0; failures < 30; ) {
      const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
      const result = answer?.ok ? await answer.json().catch(() => null) : null;
      if (result && this.showResult(row, result)) return;
      failures = result ? 0 : failures + 1;
      await new Promise((resolve) => { setTimeout(resolve, ASK_AGAIN_MS * (failures + 1)); });
    }
    this.end(row, "attention", "Sent, and what became of it is not known. Look for it in the list later.");
  }

  showResult(row, { state, identifier, address, reason_text: reason }) {
    if (state === "received") {
      this.end(row, "ready", "Received as ", identifier, address);
      // The list below has one more.
      document.body.dispatchEvent(new CustomEvent("plainview:received"));
    } else if (state === "duplicate" && identifier) this.end(row, "ready", "Received before, as ", identifier, address);
    else if (state === "duplicate") this.end(row, "ready", "The same bytes were received before. Nothing was changed.");
    else if (state === "quarantined") this.end(row, "attention", `In quarantine. ${reason}`);
    else if (state === "refused" || state === "dropped") this.end(row, "stop", `Refused: ${reason}`);
    else return false;
    return true;
  }

  pauseOrGoOn(row) {
    if (row.state === "paused") {
      this.show(row, "waiting", "Waiting");
      this.runNext();
      return;
    }
    row.upload.stop();
    this.show(row, "paused", "Paused. What was sent is kept.");
  }

  cancel(row) {
    this.end(row, "ready", "Cancelled. Nothing of it is kept.");
    row.upload.cancel();
  }

  showProgress(row, sent) {
    if (row.state !== "sending") return;
    const now = performance.now();
    if (!row.begunAt) Object.assign(row, { begunAt: now, begunBytes: sent });
    const rate = (sent - row.begunBytes) / ((now - row.begunAt) / 1000 || 1);
    const left = rate > 0 && now - row.begunAt > 2000 ? `, about ${time((row.file.size - sent) / rate)} left` : "";
    row.element.querySelector("progress").value = sent / row.file.size;
    this.show(row, "sending", `Sending ${Math.floor((100 * sent) / row.file.size)}%${left}`);
  }

  show(row, state, words) {
    row.state = state;
    const { element } = row;
    element.dataset.state = state;
    element.querySelector(".words").textContent = words;
    element.querySelector("progress").hidden = state !== "sending" && state !== "paused";
    const pause = element.querySelector(".pause");
    pause.hidden = state !== "sending" && state !== "paused";
    pause.textContent = state === "paused" ? "Continue" : "Pause";
    element.querySelector(".cancel").hidden = !["waiting", "sending", "paused"].includes(state);
  }

  end(row, look, words, identifier = "", address = "") {
    this.show(row, "ended", words);
    const shown = row.element.querySelector(".words");
    shown.className = `words state ${look}`;
    if (identifier) {
      const link = document.createElement("a");
      link.href = address || `/recordings/${encodeURIComponent(identifier)}`;
      link.className = "identifier";
      link.textContent = identifier;
      shown.append(link);
    }
    forget(fingerprint(row.file));
    this.say(`${row.file.name}: ${shown.textContent}`);
  }

  say(sentence) {
    this.spoken.textContent = sentence;
  }
}

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const shown = bytes / 1000 ** power;
  return `${shown.toFixed(power === 0 || shown >= 99.95 ? 0 : 1)} ${units[power]}`;
}

function time(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

customElements.define("pv-upload", UploadPanel);
