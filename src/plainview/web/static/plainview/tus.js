// Hand in one file by tus 1.0 (tus.io/protocols/resumable-upload): in pieces, and on from where it stopped.

// Large, because each piece costs the server a look at who sends it; what is cut off keeps every whole MiB.
const PIECE_BYTES = 32 * 1024 * 1024;
const WAITS_S = [1, 2, 5, 10, 20, 30];
const VERSION = "1.0.0";
const KEPT = "plainview.upload.";
const REFUSED = "You may not hand in files, or this page is too old. Load it again.";

// What went wrong, in a sentence for people; whether to try again by ourselves, and after how long.
class UploadError extends Error {
  constructor(message, { again = false, afterSeconds = null, isGone = false } = {}) {
    super(message);
    this.again = again;
    this.afterSeconds = afterSeconds;
    this.isGone = isGone;
  }
}

export class StoppedError extends Error {}

// The same file, chosen again after a reload, is known by its name, size and time.
export function fingerprint(file) {
  return `${KEPT}${file.name}|${file.size}|${file.lastModified}`;
}

export function unfinished() {
  const names = [];
  for (let n = 0; n < localStorage.length; n += 1) {
    const key = localStorage.key(n);
    if (key.startsWith(KEPT)) names.push({ key, name: key.slice(KEPT.length).split("|")[0] });
  }
  return names;
}

export function forget(key) {
  localStorage.removeItem(key);
}

export class Upload {
  // onProgress(sentBytes), onWait(sentence, seconds): called while it runs.
  constructor(file, { address, onProgress, onWait }) {
    Object.assign(this, { file, address, onProgress, onWait });
    this.url = null;
    this.request = null;
    this.isStopped = false;
  }

  // Send what is missing; resolve to the upload's address once the server has every byte.
  async run() {
    this.isStopped = false;
    let failures = 0;
    for (;;) {
      try {
        await this.sendAll(() => { failures = 0; });
        forget(fingerprint(this.file));
        return this.url;
      } catch (error) {
        if (this.isStopped) throw new StoppedError();
        // Gone before it was begun: there is no such address for whoever is signed in now, and trying again changes nothing.
        if (error.isGone && !this.url) throw new UploadError(REFUSED);
        if (error.isGone) this.begin(null);
        if (!error.again && !error.isGone) throw error;
        const seconds = error.afterSeconds ?? WAITS_S[Math.min(failures, WAITS_S.length - 1)];
        failures += 1;
        await this.wait(error.message, seconds);
      }
    }
  }

  stop() {
    this.isStopped = true;
    this.request?.abort();
    this.wake?.();
  }

  // Tell the server that the rest will not come.
  async cancel() {
    this.stop();
    forget(fingerprint(this.file));
    if (this.url) await this.ask("DELETE", this.url).catch(() => null);
  }

  begin(url) {
    this.url = url;
    if (url) localStorage.setItem(fingerprint(this.file), url);
    else forget(fingerprint(this.file));
  }

  async sendAll(onPiece) {
    let offset = await this.findOffset();
    this.onProgress(offset);
    while (offset < this.file.size) {
      offset = await this.sendPiece(offset);
      onPiece();
      this.onProgress(offset);
    }
  }

  async findOffset() {
    this.url ??= localStorage.getItem(fingerprint(this.file));
    if (this.url) {
      const answer = await this.ask("HEAD", this.url);
      return offsetOf(answer);
    }
    const answer = await this.ask("POST", this.address, {
      "Upload-Length": this.file.size,
      "Upload-Metadata": `filename ${base64(this.file.name)}`,
    });
    this.begin(new URL(answer.getResponseHeader("Location"), location.href).pathname);
    return 0;
  }

  async sendPiece(offset) {
    const piece = this.file.slice(offset, offset + PIECE_BYTES);
    const headers = { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" };
    return offsetOf(await this.ask("PATCH", this.url, headers, piece, (sent) => this.onProgress(offset + sent)));
  }

  ask(method, url, headers = {}, body = null, onSent = null) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open(method, url);
      request.setRequestHeader("Tus-Resumable", VERSION);
      request.setRequestHeader("X-CSRFToken", token());
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, String(value));
      if (onSent) request.upload.addEventListener("progress", (event) => onSent(event.loaded));
      request.addEventListener("load", () => {
        const error = problemOf(request);
        if (error) reject(error);
        else resolve(request);
      });
      for (const name of ["error", "timeout", "abort"]) {
        request.addEventListener(name, () => reject(new UploadError("The server cannot be reached", { again: true })));
      }
      request.send(body);
    });
  }

  async wait(sentence, seconds) {
    this.onWait(sentence, seconds);
    await new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, seconds * 1000);
    });
    if (this.isStopped) throw new StoppedError();
  }
}

// Signing in again, in another tab, changes it; the cookie has the newest.
function token() {
  const kept = document.cookie.split("; ").find((each) => each.startsWith("csrftoken="));
  return kept ? kept.slice("csrftoken=".length) : document.querySelector("meta[name=csrf-token]").content;
}

function offsetOf(answer) {
  const offset = Number(answer.getResponseHeader("Upload-Offset"));
  if (!Number.isSafeInteger(offset)) throw new UploadError("The server gave an answer that is not understood.");
  return offset;
}

function problemOf(request) {
  const { status } = request;
  const isElsewhere = request.responseURL && new URL(request.responseURL).pathname.includes("/account/");
  if (isElsewhere || status === 401) return new UploadError("You are signed out. Sign in in another tab, then choose Continue.");
  if (status >= 200 && status < 300) return null;
  if (status === 404 || status === 410) return new UploadError("The server no longer has the part that was sent", { isGone: true });
  if (status === 409 || status === 460) return new UploadError("The server has another part of it", { again: true, afterSeconds: 0 });
  if (status === 423) return new UploadError("Another window is sending this file", { again: true, afterSeconds: 5 });
  if (status === 403) return new UploadError(REFUSED);
  if (status === 413) return new UploadError("It is larger than this server takes.");
  if (status === 507) return new UploadError("The server has no room for it. Tell whoever keeps the server.");
  if (status === 503 || status === 429) {
    const seconds = Number(request.getResponseHeader("Retry-After")) || null;
    return new UploadError("The server is busy", { again: true, afterSeconds: seconds });
  }
  if (status >= 500) return new UploadError("The server failed", { again: true });
  return new UploadError(`The server refused it (${status}). ${request.responseText.slice(0, 200)}`);
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
