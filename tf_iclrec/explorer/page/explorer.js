// The page. What is asked stands in the address after `#`, so that it can be shared, reloaded and
// undone with the browser's own button; each change of it asks anew and shows the answer.

import { combobox } from "./combobox.js";
import { element, fill } from "./elements.js";
import { showIntent, showOverview } from "./intents.js";
import { button, itemRow, nameOf, number } from "./items.js";
import { get, post } from "./server.js";

const by = (id) => document.getElementById(id);
const KINDS = ["only", "without"];
const REASONS = 3;
const VIEWS = ["recommendations", "intents"];

let facts;
let asked;
let answer = { history: [], items: [], intents: [] };
let asking;

// What is asked, and how it is written in the address.

function fromAddress() {
  const written = new URLSearchParams(location.hash.slice(1));
  const pairs = (name) => written.getAll(name).map((one) => one.split(/=(.*)/s).slice(0, 2));
  return {
    user: written.get("user"),
    items: written.getAll("item"),
    k: Number(written.get("k") ?? Math.min(20, facts.most)),
    seen: written.has("seen") ? written.get("seen") === "yes" : facts.seen,
    only: pairs("only"),
    without: pairs("without"),
    diversity: Number(written.get("diversity") ?? 0),
    diversify: written.get("diversify") ?? facts.diversify[0] ?? null,
    view: facts.intents && written.get("view") === "intents" ? "intents" : "recommendations",
    intent: written.get("intent"),
  };
}

function toAddress(state) {
  const written = new URLSearchParams();
  if (state.user !== null) written.append("user", state.user);
  else state.items.forEach((item) => written.append("item", item));
  if (state.k !== Math.min(20, facts.most)) written.append("k", state.k);
  if (state.seen !== facts.seen) written.append("seen", state.seen ? "yes" : "no");
  for (const kind of KINDS) state[kind].forEach((pair) => written.append(kind, pair.join("=")));
  if (state.diversity) written.append("diversity", state.diversity);
  if (state.diversify !== (facts.diversify[0] ?? null)) written.append("diversify", state.diversify);
  if (state.view === "intents") written.append("view", "intents");
  if (state.view === "intents" && state.intent !== null) written.append("intent", state.intent);
  return `#${written}`;
}

// On top of what the address says, which may have changed since the last answer.
const changed = (change) => toAddress({ ...fromAddress(), ...change });
const busy = (is) => by("recommended").setAttribute("aria-busy", String(is));
// `replace`: without a step of its own for the browser's back button.
const ask = (change, replace = false) => {
  const address = changed(change);
  if (address === (location.hash || "#")) return;
  asking?.abort();
  busy(true);
  if (replace) location.replace(address);
  else location.hash = address;
};
const idsOf = (items) => items.map((item) => item.id);
const withItems = (items) => ask({ user: null, items, view: "recommendations" });

function history() {
  const { user, items } = fromAddress();
  return user === null ? items : idsOf(answer.history);
}

const add = (item) => withItems([...history(), item.id]);

function remove(item, place) {
  const items = history();
  const at = items[place] === item.id ? place : items.lastIndexOf(item.id);
  if (at >= 0) withItems(items.toSpliced(at, 1));
}

const openIntent = (intent) => ask({ view: "intents", intent });

function byName(pairs) {
  const values = {};
  for (const [name, value] of pairs) (values[name] ??= []).push(value);
  return values;
}

async function recommended(signal, more = {}) {
  const { user, items, k, seen, only, without, diversity, diversify } = asked;
  const body = {
    ...(user === null ? { history: items } : { user }),
    k,
    filter_seen: !seen,
    only: byName(only),
    without: byName(without),
    ...(diversity ? { diversity, diversify } : {}),
    ...more,
  };
  return post("recommend", body, signal);
}

async function refresh() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const before = asked?.view;
  asked = fromAddress();
  const started = performance.now();
  try {
    const found = await recommended(signal);
    const last = idsOf(answer.items);
    show(found, last, performance.now() - started);
    if (asked.view === "intents") await showIntents(signal);
    // What had the focus is gone with the other view.
    if (before && asked.view !== before) by(`${asked.view}-heading`).focus();
    // They take longer than the list, which should not wait for them.
    if (!found.from_popularity) showItems(await recommended(signal, { because: REASONS }), last);
  } catch (error) {
    if (!signal.aborted) say(error.message, true);
  } finally {
    if (!signal.aborted) busy(false);
  }
}

function say(text, failed = false) {
  by("status").classList.toggle("failed", failed);
  by("status").textContent = text;
}

// What is shown.

function actionsOf(item, then = add) {
  const name = nameOf(item);
  const similar = button(
    "Similar", `similar ${item.id}`, `Items similar to ${name}`, () => showSimilar(item),
  );
  return [
    button("Add", `add ${item.id}`, `Add ${name} to the history`, () => then(item)),
    ...(facts.has_similar ? [similar] : []),
  ];
}

function historyRow(item, place) {
  const spoken = `Remove ${nameOf(item)} from the history`;
  const [, ...similar] = actionsOf(item);
  return itemRow(item, {
    place: place + 1,
    actions: [button("Remove", `remove ${place} ${item.id}`, spoken, () => remove(item, place)), ...similar],
  });
}

function moved(id, place, before) {
  const was = before.indexOf(id);
  if (!before.length || was === place) return [];
  const text = was < 0 ? "new" : was > place ? `up ${was - place}` : `down ${place - was}`;
  return [element("span", { class: `moved ${text.split(" ", 1)[0]}` }, text)];
}

function reasonText(reason) {
  const item = answer.history.find((one) => one.id === reason.item_id);
  const shared = [
    ...(reason.provider ? [`same provider ${reason.provider}`] : []),
    ...(reason.intent_name ? [`same intent ${reason.intent_name}`] : []),
  ];
  return `${nameOf(item)} (${[`−${number(reason.drop)}`, ...shared].join(", ")})`;
}

function reasonsOf(item) {
  if (!item.because?.length) return [element("p", { class: "because" })];
  return [element("p", { class: "because" }, `Because of ${item.because.map(reasonText).join("; ")}`)];
}

function recommendationRow(item, place, before) {
  return itemRow(item, {
    place: place + 1,
    marks: moved(item.id, place, before),
    below: reasonsOf(item),
    facts: [`score ${number(item.score)}`, `${number(item.count)} interactions`],
    actions: actionsOf(item),
  });
}

function filterChip(kind, [name, value]) {
  const others = () => fromAddress()[kind].filter((pair) => pair[0] !== name || pair[1] !== value);
  const text = `${kind} ${name} ${value}`;
  const taken = () => ask({ [kind]: others() });
  return element("li", {}, button(`${text} ✕`, `filter ${text}`, `Remove the filter: ${text}`, taken));
}

function intentChip({ id, name, affinity }) {
  const text = `${name} (${number(affinity)})`;
  const spoken = `Open intent ${id}: ${name}`;
  return element("li", {}, button(text, `intent ${id}`, spoken, () => openIntent(String(id))));
}

function summary(found, before, milliseconds) {
  const count = found.items.length;
  if (!count) return "No item is left to recommend.";
  const fresh = idsOf(found.items).filter((id) => !before.includes(id)).length;
  const news = before.length ? ` ${fresh || "None"} of them new.` : "";
  const why = found.from_popularity
    ? ` Nothing is known of ${found.history.length ? "this user" : "an empty history"}: these are the `
      + "items with most interactions." : "";
  return `${count} recommendations in ${Math.round(milliseconds)} ms.${news}${why}`;
}

function showItems(found, before) {
  fill(by("recommended"), found.items.map((item, place) => recommendationRow(item, place, before)));
}

function show(found, before, milliseconds) {
  answer = found;
  const count = found.history.length;
  const whose = asked.user === null ? "" : `User ${asked.user}: `;
  by("whose").textContent = count || whose
    ? `${whose}${count} ${count === 1 ? "item" : "items"}, newest first` : "Pick a user, or add items.";
  fill(by("history"), found.history.map(historyRow).reverse());
  showItems(found, before);
  by("closest").hidden = !found.intents.length;
  fill(by("closest-intents"), found.intents.map(intentChip));
  fill(by("filter-list"), KINDS.flatMap((kind) => asked[kind].map((pair) => filterChip(kind, pair))));
  by("k").value = String(asked.k);
  by("seen").checked = asked.seen;
  const slider = by("diversity");
  // Not under the hand that moves it.
  if (document.activeElement !== slider) slider.value = asked.diversity;
  by("diversity-value").textContent = number(asked.diversity);
  by("diversify").value = asked.diversify ?? "";
  for (const view of VIEWS) {
    by(view).hidden = asked.view !== view;
    const link = by(`to-${view}`);
    link.href = `/${changed({ view })}`;
    if (asked.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  say(summary(found, before, milliseconds));
}

async function showIntents(signal) {
  const intents = await get("intents");
  const chosen = asked.intent ?? String(intents[0].id);
  const intent = await get("intent", { id: chosen });
  if (signal.aborted) return;
  showOverview(by("all-intents"), intents, chosen, openIntent);
  const user = (id) => ask({ user: id, view: "recommendations" });
  showIntent(by("intent"), intent, { open: openIntent, add, user });
  by("intents-status").textContent = `Intent ${chosen}: ${intent.name}`;
}

async function showSimilar(item) {
  const dialog = by("similar");
  const { items } = await get("similar", { item: item.id });
  const then = (chosen) => { dialog.close(); add(chosen); };
  by("similar-heading").textContent = `Similar to ${nameOf(item)}`;
  by("similar-items").replaceChildren(...items.map((one, place) => itemRow(one, {
    place: place + 1, facts: [`cosine ${number(one.cosine)}`], actions: actionsOf(one, then),
  })));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

// What can be done.

const finder = (path, more = () => ({})) => async (q) => (await get(path, { q, ...more() })).map(
  (one) => ({
    ...one, title: nameOf(one), hint: `${one.title ? `${one.id} · ` : ""}${number(one.count)}×`,
  }),
);

function addFilter(value) {
  const [kind, name] = [by("filter-kind").value, by("filter-name").value];
  const others = fromAddress()[kind].filter((pair) => pair[0] !== name || pair[1] !== value.id);
  ask({ [kind]: [...others, [name, value.id]] });
}

async function start() {
  facts = await get("run");
  document.title = `${facts.name}: explore`;
  by("name").textContent = facts.name;
  by("facts").textContent =
    `${facts.model}, ${number(facts.items)} items, ${number(facts.users)} users`
    + (facts.intents ? `, ${number(facts.intents)} intents` : "");
  by("views").hidden = !facts.intents;
  by("k").append(...[5, 10, 20, 50, 100].filter((k) => k <= facts.most).map((k) => new Option(k)));
  by("filters").hidden = !facts.filters.length;
  by("filter-name").append(...facts.filters.map((name) => new Option(name)));

  by("diverse").hidden = !facts.diversify.length;
  by("diversify").append(...facts.diversify.map((name) => new Option(name)));

  combobox(by("user"), finder("users"), (user) => ask({ user: user.id }));
  combobox(by("item"), finder("items"), add);
  combobox(by("filter-value"), finder("values", () => ({ name: by("filter-name").value })), addFilter);
  by("some-user").addEventListener("click", async () => ask({ user: (await get("some-user")).id }));
  by("clear").addEventListener("click", () => withItems([]));
  by("k").addEventListener("change", () => ask({ k: Number(by("k").value) }));
  by("seen").addEventListener("change", () => ask({ seen: by("seen").checked }));
  by("diversity").addEventListener("input", () => ask({ diversity: Number(by("diversity").value) }, true));
  by("diversify").addEventListener("change", () => ask({ diversify: by("diversify").value }));
  by("similar-close").addEventListener("click", () => by("similar").close());
  addEventListener("hashchange", refresh);
  await refresh();
}

// Whatever fails, such as a server that has ended, is said.
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  say(event.reason.message, true);
});

start();
