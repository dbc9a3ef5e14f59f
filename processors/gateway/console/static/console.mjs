// Keeps clocks running and the list of results fresh. Every page works without it.

const MINUTE = 60_000;
const MOST_ROWS = 200;
const SILENT_AFTER = 15_000;
const WARN_BEFORE = 5 * MINUTE;
const LOOK_EVERY = 15_000;

let ahead = 0; // milliseconds by which the server's clock is ahead of this one

function left(due, now) {
  const minutes = Math.trunc((due - now) / MINUTE), size = Math.abs(minutes);
  const days = Math.trunc(size / 1440), hours = Math.trunc((size % 1440) / 60);
  const text = days ? `${days} d ${hours} h` : `${hours} h ${size % 60} min`;
  return due < now ? `-${text}` : text;
}

function runClocks() {
  const now = Date.now() + ahead;
  for (const clock of document.querySelectorAll("[data-due]")) {
    const due = Number(clock.dataset.due);
    clock.textContent = left(due, now);
    clock.classList.toggle("over", due < now);
  }
}

function cell(row, content, kind) {
  const td = row.insertCell();
  if (kind) td.className = kind;
  td.append(content);
  return td;
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

function rowOf(line) {
  const row = document.createElement("tr"), at = new Date(line.at).toISOString();
  row.className = "fresh";
  cell(row, element("time", `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`, { datetime: at }));
  const verdict = line.verdict.replaceAll("_", " ").toLowerCase();
  cell(row, element("span", verdict, { class: `verdict ${line.verdict}` }));
  const plugin = cell(row, element("a", line.plugin, { href: `/requests/${encodeURIComponent(line.request_id)}` }));
  if (line.name) plugin.append(element("div", line.name, { class: "quiet" }));
  const where = cell(row, line.target || "not stated");
  where.dataset.label = "Installation";
  where.append(element("div", line.environment, { class: "quiet" }));
  cell(row, line.host).dataset.label = "Host";
  cell(row, String(line.risk), "number").dataset.label = "Risk";
  cell(row, line.operator).dataset.label = "Asked by";
  return row;
}

function follow(live) {
  const lines = document.getElementById("lines"), state = document.getElementById("connection");
  const lag = document.getElementById("lag"), pause = document.getElementById("pause");
  let waiting = [], paused = false, heard = Date.now();

  const say = (text) => { if (state.textContent !== text) state.textContent = text; };
  const show = (line) => {
    document.getElementById("empty")?.remove();
    lines.prepend(rowOf(line));
    while (lines.rows.length > MOST_ROWS) lines.deleteRow(-1);
  };
  const source = new EventSource(live.dataset.stream);
  source.addEventListener("open", () => { heard = Date.now(); if (!paused) say("Live"); });
  source.addEventListener("error", () => {
    say(source.readyState === EventSource.CLOSED
      ? "Disconnected; load the page again"
      : "Connection lost; trying again. Results may be missing above the last one");
  });
  source.addEventListener("tick", (event) => {
    heard = Date.now();
    ahead = Number(event.data) - heard;
    if (!paused) say("Live");
  });
  source.addEventListener("result", (event) => {
    heard = Date.now();
    const line = JSON.parse(event.data), late = Math.max(0, heard + ahead - line.at);
    lag.textContent = `the last result came ${(late / 1000).toFixed(1)} s after it was given`;
    if (paused) {
      waiting = [...waiting, line].slice(-MOST_ROWS);
      say(`Paused; ${waiting.length} new`);
    } else {
      show(line);
    }
  });
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    if (!paused) waiting.splice(0).forEach(show);
    say(paused ? "Paused" : "Live");
  });
  setInterval(() => {
    if (Date.now() - heard > SILENT_AFTER && source.readyState === EventSource.OPEN) say("Nothing heard for a while");
  }, 1000);
}

// Warns before the login ends: a form that is sent later leads to the login instead. Looking keeps nobody logged in.
function guardSession(box) {
  const text = box.querySelector("p"), stay = box.querySelector("button"), again = box.querySelector("a");
  let ends, look, told = "";

  const lasts = (left) => {
    ends = Date.now() + left * 1000;
    if (left * 1000 > WARN_BEFORE) { box.hidden = true; told = ""; }
  };
  const ask = async (method) => {
    look = Date.now() + LOOK_EVERY;
    const answer = await fetch("/session", { method });
    if (answer.ok) lasts((await answer.json()).left);
  };
  const warn = () => {
    const minutes = Math.ceil((ends - Date.now()) / MINUTE), over = minutes <= 0;
    const said = over
      ? "You are logged out. What you have typed is still here; log in before you send it."
      : `You are logged out in ${minutes} min, unless you stay. What you have typed is not sent yet.`;
    if (said !== told) text.textContent = told = said;
    stay.hidden = over;
    again.hidden = !over;
    box.hidden = false;
  };
  const watch = async () => {
    if (ends - Date.now() > WARN_BEFORE) return;
    if (!(look > Date.now())) await ask("GET").catch(() => {}); // another page may have kept the login alive
    if (ends - Date.now() <= WARN_BEFORE) warn();
  };
  lasts(Number(box.dataset.left));
  stay.addEventListener("click", () => ask("POST").catch(warn));
  setInterval(watch, 1000);
}

runClocks();
setInterval(runClocks, 1000);
const session = document.getElementById("session");
if (session) guardSession(session);
const live = document.querySelector("[data-stream]");
if (live) follow(live);
