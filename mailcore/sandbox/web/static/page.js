// The page without this script is read only and does not move; with it, mail appears by itself.
// Rule: what is put into the page is HTML that the server escaped, or text. Mail itself is only ever in the frame.

const $ = (selector, from = document) => from.querySelector(selector);
const list = $("#list"), shown = $("#mail"), words = $("#words"), said = $("#said");
const token = $("meta[name=token]")?.content;

function say(text, bad = false) {
  delete said.dataset.lost;
  said.textContent = text;
  said.classList.toggle("bad", bad);
  said.hidden = !text;
}

async function ask(method, path, options = {}) {
  const response = await fetch(path, { method, ...options, headers: { "X-Mailcore-Token": token, ...options.headers } });
  if (response.status === 204) return {};
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

const json = (value) => ({ body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

async function part(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error((await response.json()).error);
  const made = document.createElement("template");
  made.innerHTML = await response.text();
  return made.content;
}

// The list -----------------------------------------------------------------------------------------
const listPath = (before) =>
  `/list?${new URLSearchParams({ search: words.value, ...(before ? { before } : {}) })}`;

function count(total) {
  $("#total").textContent = `${total} ${total === 1 ? "mail" : "mails"}`;
}

const chosen = () => $("article", shown)?.dataset.mail;

function mark() {
  for (const link of list.querySelectorAll("a[aria-current]")) link.removeAttribute("aria-current");
  const link = list.querySelector(`a[data-mail="${chosen()}"]`);
  link?.setAttribute("aria-current", "true");
  link?.parentElement.classList.remove("new");
  title();
}

function replaceList(content) {
  list.replaceChildren(content);
  list.scrollTop = 0;
  watchMore();
  mark();
}

let asked = 0;

async function refresh({ all = false } = {}) {
  const turn = ++asked;
  const content = await part(listPath());
  if (turn !== asked) return; // a later question is on its way
  const total = Number($("[data-total]", content).dataset.total);
  count(total);
  const old = $("ol", list), fresh = $("ol", content);
  const known = old && fresh && [...fresh.children].some((line) => document.getElementById(line.id));
  const news = [...(fresh?.children ?? [])].filter((line) => !document.getElementById(line.id));
  if (!all) for (const line of news) line.classList.add("new");
  if (all || !known || total < old.children.length) return replaceList(content);
  old.prepend(...news);
  title();
}

// Mail that came while one looked elsewhere is counted in the title, until it is opened.
let name = document.title;
function title(given = name) {
  name = given;
  const unread = list.querySelectorAll("li.new").length;
  document.title = unread ? `(${unread}) ${name}` : name;
}

async function older(link) {
  const content = await part(listPath(link.dataset.before));
  const more = $(".more", content), fresh = $("ol", content);
  if (fresh) $("ol", list).append(...fresh.children);
  more ? link.replaceWith(more) : link.remove();
  watchMore();
}

const reached = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { reached.unobserve(entry.target); older(entry.target); }
}, { root: list, rootMargin: "400px" });

function watchMore() {
  const link = $(".more", list);
  if (link) reached.observe(link);
}

// One mail -----------------------------------------------------------------------------------------
async function show(path, { push = true } = {}) {
  const content = await part(`${path}?part=mail`);
  shown.replaceChildren(content);
  say("");
  shown.scrollTop = 0;
  name = `${$("h2", shown).textContent} · mailcore sandbox`;
  if (push) history.pushState(null, "", path);
  mark();
  select($("[role=tab]", shown));
}

function select(tab, { focus = false } = {}) {
  if (!tab) return;
  for (const other of tab.parentElement.children) {
    const on = other === tab;
    other.setAttribute("aria-selected", on);
    other.tabIndex = on ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
  }
  if (focus) tab.focus();
}

// Put what is new into a place of the page; what is open there stays open, and the focus where it is.
async function refreshPlace(selector, path) {
  const before = $(selector, shown);
  if (!before) return;
  const content = await part(path);
  const place = $(selector, shown);
  if (place !== before) return; // another mail is shown by now
  const fresh = document.createElement("div");
  fresh.append(content.cloneNode(true));
  const open = [...place.querySelectorAll("details[open]")].map((one) => one.id);
  const now = place.cloneNode(true);
  for (const one of now.querySelectorAll("details[open]")) one.removeAttribute("open");
  if (now.innerHTML.trim() === fresh.innerHTML.trim()) return;
  const focused = place.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
  place.replaceChildren(content);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused?.happening) $(`[data-happening="${focused.happening}"]`, place)?.focus();
}

const refreshEvents = () => refreshPlace("#events", `/mails/${chosen()}/events`);
const refreshRefused = () => refreshPlace("#refusals", "/refused?part=list");

async function act(path, options, done) {
  say("…");
  try {
    const answer = await ask("POST", path, options);
    const told = answer.webhooks.map((one) => (one.response ? one.response.status : one.error)).join(", ");
    say(`${done}: ${told || "no webhook was made"}`, answer.webhooks.some((one) => !one.response));
  } catch (error) {
    say(error.message, true);
  }
  await refreshEvents();
}

// What people do -----------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const target = event.target.closest("a, button");
  if (!target) return;
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if ("shows" in target.dataset && plain) { event.preventDefault(); show(target.getAttribute("href")).catch((e) => say(e.message, true)); }
  else if (target.dataset.before && plain) { event.preventDefault(); older(target); }
  else if (target.role === "tab" || target.getAttribute("role") === "tab") select(target);
  else if (target.dataset.happening) act(`/api/mails/${chosen()}/happen`, json({ happening: target.dataset.happening }), target.textContent.trim());
  else if (target.dataset.replay) act(`/api/webhooks/${target.dataset.replay}/replay`, {}, "Replay");
  else if (target.dataset.opens) opens(target.dataset.opens);
  else if (target.id === "phone") toggle(target, $("iframe", shown).classList.toggle("phone"));
  else if (target.id === "clear") clearAll();
  else if (target.id === "remove") remove(chosen());
  else if (target.dataset.sample) sample(target);
  else if ("copies" in target.dataset) copy(target);
  else if (target.id === "theme") theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
});

function toggle(button, on) { button.setAttribute("aria-pressed", on); }

async function clearAll() {
  if (!confirm("Forget every mail?")) return;
  shown.replaceChildren();
  try {
    await ask("DELETE", "/api/mails");
    location.assign("/");
  } catch (error) { say(error.message, true); }
}

async function remove(mail) {
  const line = document.getElementById(`line-${mail}`);
  const next = line?.nextElementSibling ?? line?.previousElementSibling;
  shown.replaceChildren(); // or the change that is told would ask for its events
  try {
    await ask("DELETE", `/api/mails/${mail}`);
    line?.remove();
  } catch (error) { return say(error.message, true); }
  if (next) await show($("a", next).getAttribute("href"));
  else location.assign("/");
}

async function sample(button) {
  button.disabled = true;
  try {
    await ask("POST", `/api/sample/${button.dataset.sample}`);
    say("Sent. It is in the list.");
  } catch (error) { say(error.message, true); }
  button.disabled = false;
}

async function copy(button) {
  const text = $("pre", button.closest("details"));
  try { await navigator.clipboard.writeText(text.textContent); say("Copied."); }
  catch { getSelection().selectAllChildren(text); say("Press Ctrl-C to copy it."); } // only https and localhost may
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem("theme", name);
  toggle($("#theme"), name === "dark");
}

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  if (tab && event.key in steps) {
    const tabs = [...tab.parentElement.children];
    select(tabs[(tabs.indexOf(tab) + steps[event.key] + tabs.length) % tabs.length], { focus: true });
    event.preventDefault();
  }
  const line = event.target.closest?.("#list li");
  const moves = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" };
  if (line && event.key in moves) { $("a", line[moves[event.key]] ?? line).focus(); event.preventDefault(); }
  if (event.key === "/" && !event.target.closest?.("input, textarea, dialog")) { words.focus(); event.preventDefault(); }
});

let pause;
words.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(() => refresh({ all: true }), 120); });
$("#search").addEventListener("submit", (event) => { event.preventDefault(); refresh({ all: true }); });
addEventListener("popstate", () => location.reload());

// Forms --------------------------------------------------------------------------------------------
// Others may have changed the settings since the page was loaded.
async function opens(id) {
  if (id === "settings") {
    const { chaos, webhook_url } = await (await fetch("/api/settings")).json();
    for (const [field, value] of Object.entries({ ...chaos, webhook_url })) $(`#settings [name=${field}]`).value = value;
  }
  document.getElementById(id).showModal();
}

$("#settings form")?.addEventListener("submit", async (event) => {
  if (event.submitter?.value !== "save") return;
  const { webhook_url, ...shares } = Object.fromEntries(new FormData(event.target));
  const chaos = Object.fromEntries(Object.entries(shares).map(([name, value]) => [name, Number(value)]));
  try {
    await ask("PUT", "/api/settings", json({ chaos, ...(webhook_url ? { webhook_url } : {}) }));
    say("Saved.");
  } catch (error) { say(error.message, true); }
  await refreshEvents();
});

async function receive(provider, source, form) {
  const options = source ? { body: source, headers: { "Content-Type": "message/rfc822" } } : json(form);
  await act(`/api/providers/${provider}/receive`, options, "Received");
}

$("#receive form")?.addEventListener("submit", async (event) => {
  if (event.submitter?.value !== "receive") return;
  const { provider, source, file, ...form } = Object.fromEntries(new FormData(event.target));
  await receive(provider, file.size ? await file.arrayBuffer() : source, form);
});

const drop = $("#receive");
for (const kind of ["dragover", "dragleave", "drop"]) {
  drop?.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.querySelectorAll("fieldset")[1].classList.toggle("over", kind === "dragover");
  });
}
drop?.addEventListener("drop", async (event) => {
  const [file] = event.dataTransfer.files;
  if (!file) return;
  drop.close();
  await receive($("[name=provider]", drop).value, await file.arrayBuffer(), {});
});

// Beginning ----------------------------------------------------------------------------------------
const kept = localStorage.getItem("theme");
if (kept) theme(kept);
select($("[role=tab]", shown));
watchMore();
const feed = new EventSource("/api/changes");
feed.onmessage = (event) => {
  const { refused } = JSON.parse(event.data);
  $("#refused-link").textContent = `${refused} refused`;
  $("#refused-link").hidden = !refused;
  for (const renew of [refresh, refreshEvents, refreshRefused]) renew().catch(() => {});
  if (said.dataset.lost) say("");
};
feed.onerror = () => { say("The sandbox does not answer; it may have ended.", true); said.dataset.lost = "yes"; };
