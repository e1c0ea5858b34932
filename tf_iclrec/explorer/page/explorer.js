// The page: what is asked stands in the address after `#`, so that it can be shared, reloaded and
// undone with the browser's own button. Each change of it asks anew and shows the answer.

import { combobox } from "./combobox.js";
import { element, fill } from "./elements.js";

const by = (id) => document.getElementById(id);
const KINDS = ["only", "without"];
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

let facts;
let asked;
let answer = { history: [], items: [] };
let asking;

async function get(path, parameters = {}) {
  return read(await fetch(`/api/${path}?${new URLSearchParams(parameters)}`));
}

async function read(response) {
  const said = await response.json().catch(() => ({ error: "The server failed; see its terminal." }));
  if (!response.ok) throw new Error(said.error);
  return said;
}

// What is asked, and how it is written in the address.

function fromAddress() {
  const written = new URLSearchParams(location.hash.slice(1));
  const values = (name) => written.getAll(name).map((one) => one.split(/=(.*)/s).slice(0, 2));
  return {
    user: written.get("user"),
    items: written.getAll("item"),
    k: Number(written.get("k") ?? Math.min(20, facts.most)),
    seen: written.has("seen"),
    only: values("only"),
    without: values("without"),
  };
}

function toAddress(state) {
  const written = new URLSearchParams();
  if (state.user !== null) written.append("user", state.user);
  else state.items.forEach((item) => written.append("item", item));
  if (state.k !== Math.min(20, facts.most)) written.append("k", state.k);
  if (state.seen) written.append("seen", "yes");
  for (const kind of KINDS) {
    state[kind].forEach((pair) => written.append(kind, pair.join("=")));
  }
  return `#${written}`;
}

function ask(change) {
  const address = toAddress({ ...asked, ...change });
  if (address === location.hash) return;
  location.hash = address;
}

const idsOf = (items) => items.map((item) => item.id);
const history = () => idsOf(answer.history);
const add = (item) => ask({ user: null, items: [...history(), item.id] });
const remove = (place) => ask({ user: null, items: history().toSpliced(place, 1) });

function byName(pairs) {
  const values = {};
  for (const [name, value] of pairs) (values[name] ??= []).push(value);
  return values;
}

async function answerTo(state, signal) {
  const { user, items, k, seen, only, without } = state;
  const whose = user === null ? { history: items } : { user };
  const body = { ...whose, k, filter_seen: !seen, only: byName(only), without: byName(without) };
  return read(await fetch("/api/recommend", { method: "POST", body: JSON.stringify(body), signal }));
}

async function refresh() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  asked = fromAddress();
  const started = performance.now();
  try {
    const found = await answerTo(asked, signal);
    show(found, performance.now() - started);
  } catch (error) {
    if (!signal.aborted) say(error.message, true);
  }
}

function say(text, failed = false) {
  by("status").classList.toggle("failed", failed);
  by("status").textContent = text;
}

// What is shown.

const nameOf = (item) => item.title || item.id;

function described(item, ...more) {
  const known = Object.entries(item.known).map(([name, value]) => `${name} ${value}`);
  const parts = [...(item.title ? [item.id] : []), ...known, ...more];
  return element("p", { class: "fine-print" }, parts.join(" · "));
}

function button(text, item, focus, onclick, spoken) {
  return element(
    "button", { type: "button", "data-focus": focus, "aria-label": spoken, onclick }, text,
  );
}

function similarButton(item) {
  if (!facts.has_similar) return null;
  const spoken = `Items similar to ${nameOf(item)}`;
  return button("Similar", item, `similar ${item.id}`, () => showSimilar(item), spoken);
}

function addButton(item, then = add) {
  const spoken = `Add ${nameOf(item)} to the history`;
  return button("Add", item, `add ${item.id}`, () => then(item), spoken);
}

function historyRow(item, place) {
  const spoken = `Remove ${nameOf(item)} from the history`;
  return element(
    "li", {},
    element("div", {}, element("p", {}, nameOf(item)), described(item)),
    element(
      "div", { class: "actions" },
      button("Remove", item, `remove ${place} ${item.id}`, () => remove(place), spoken),
      similarButton(item),
    ),
  );
}

function moved(item, place, before) {
  if (!before.length) return null;
  const was = before.indexOf(item.id);
  if (was === place) return null;
  if (was < 0) return element("span", { class: "moved" }, "new");
  const up = was > place;
  const places = Math.abs(was - place);
  return element("span", { class: up ? "moved" : "moved down" }, `${up ? "up" : "down"} ${places}`);
}

function recommendationRow(item, place, before) {
  return element(
    "li", {},
    element(
      "div", {},
      element("p", {}, nameOf(item), moved(item, place, before)),
      described(item, `score ${number.format(item.score)}`, `${number.format(item.count)} interactions`),
    ),
    element("div", { class: "actions" }, addButton(item), similarButton(item)),
  );
}

function filterChip(kind, [name, value]) {
  const others = () => asked[kind].filter((pair) => pair[0] !== name || pair[1] !== value);
  const spoken = `Remove the filter: ${kind} ${name} ${value}`;
  const onclick = () => ask({ [kind]: others() });
  return element(
    "li", {}, button(`${kind} ${name} ${value} ✕`, null, `filter ${kind} ${name} ${value}`, onclick, spoken),
  );
}

function summary(found, before, milliseconds) {
  const count = found.items.length;
  if (!count) return "No item is left to recommend.";
  const fresh = idsOf(found.items).filter((id) => !before.includes(id)).length;
  const news = !before.length ? "" : fresh ? ` ${fresh} of them new.` : " None of them new.";
  const why = found.from_popularity
    ? " Nothing is known of this user: these are the items with most interactions." : "";
  return `${count} recommendations in ${Math.round(milliseconds)} ms.${news}${why}`;
}

function show(found, milliseconds) {
  const before = idsOf(answer.items);
  answer = found;
  const items = found.history.length;
  const whose = asked.user === null ? "" : `User ${asked.user}: `;
  by("whose").textContent = items || whose
    ? `${whose}${items} ${items === 1 ? "item" : "items"}, oldest first`
    : "Pick a user, or add items.";
  fill(by("history"), found.history.map(historyRow));
  fill(by("recommendations"), found.items.map((item, place) => recommendationRow(item, place, before)));
  fill(by("filter-list"), KINDS.flatMap((kind) => asked[kind].map((pair) => filterChip(kind, pair))));
  by("k").value = String(asked.k);
  by("seen").checked = asked.seen;
  say(summary(found, before, milliseconds));
}

async function showSimilar(item) {
  const dialog = by("similar");
  try {
    const { items } = await get("similar", { item: item.id });
    by("similar-heading").textContent = `Similar to ${nameOf(item)}`;
    const then = (chosen) => { dialog.close(); add(chosen); };
    by("similar-items").replaceChildren(...items.map((one) => element(
      "li", {},
      element("div", {}, element("p", {}, nameOf(one)), described(one, `cosine ${number.format(one.cosine)}`)),
      element("div", { class: "actions" }, addButton(one, then), similarButton(one)),
    )));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  } catch (error) {
    say(error.message, true);
  }
}

// What can be done.

const asOption = (one) => ({
  ...one, title: one.title || one.id, hint: [one.title && one.id, `${number.format(one.count)}×`].filter(Boolean).join(" · "),
});
const finder = (path, more = () => ({})) => async (q) => (await get(path, { q, ...more() })).map(asOption);

async function start() {
  facts = await get("run");
  document.title = `${facts.name}: explore`;
  by("name").textContent = facts.name;
  by("facts").textContent = `${facts.model}, ${number.format(facts.items)} items, ${number.format(facts.users)} users`;
  by("k").append(...[5, 10, 20, 50, 100].filter((k) => k <= facts.most).map((k) => new Option(k)));
  by("filters").hidden = !facts.filters.length;
  by("filter-name").append(...facts.filters.map((name) => new Option(name)));

  combobox(by("user"), finder("users"), (user) => ask({ user: user.id }));
  combobox(by("item"), finder("items"), add);
  const name = () => by("filter-name").value;
  combobox(by("filter-value"), finder("values", () => ({ name: name() })), (value) => {
    const kind = by("filter-kind").value;
    const others = asked[kind].filter((pair) => pair[0] !== name() || pair[1] !== value.id);
    ask({ [kind]: [...others, [name(), value.id]] });
  });
  by("some-user").addEventListener("click", async () => ask({ user: (await get("some-user")).id }));
  by("clear").addEventListener("click", () => ask({ user: null, items: [] }));
  by("k").addEventListener("change", () => ask({ k: Number(by("k").value) }));
  by("seen").addEventListener("change", () => ask({ seen: by("seen").checked }));
  by("similar-close").addEventListener("click", () => by("similar").close());
  addEventListener("hashchange", refresh);
  await refresh();
}

start().catch((error) => say(error.message, true));
