// The intents of a run: a table of all, and all that is known of one.

import { element, fill } from "./elements.js";
import { button, number, percent, rough } from "./items.js";

// Classes of the columns after the first: figures, and what a narrow screen leaves out.
const FIGURE = "number";
const MINOR = "minor";

function table(caption, names, classes, rows) {
  const head = names.map((name, column) => element(
    "th", { scope: "col", class: column ? classes[column - 1] : null }, name,
  ));
  return element(
    "table", {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, head)),
    element("tbody", {}, rows),
  );
}

function row(first, classes, cells) {
  const further = cells.map((cell, column) => element("td", { class: classes[column] }, cell));
  return element("tr", {}, element("th", { scope: "row" }, first), further);
}

const opener = (one, open, list) => button(
  one.name, `${list} ${one.id}`, `Open intent ${one.id}: ${one.name}`, () => open(String(one.id)),
);

export function showOverview(container, intents, chosen, open) {
  const classes = [FIGURE, FIGURE, MINOR];
  const rows = intents.map((one) => {
    const cells = [number(one.users), percent(one.share), one.items.join(", ")];
    const made = row(opener(one, open, "intent"), classes, cells);
    if (String(one.id) === chosen) made.setAttribute("aria-current", "true");
    return made;
  });
  const names = ["intent", "users", "share", "typical items"];
  fill(container, table("Those of most users first", names, classes, rows));
}

function typical(what, values, ofValue) {
  if (!values.length) return null;
  const classes = [FIGURE, FIGURE];
  const rows = values.map((one) => row(
    ofValue(one), classes, [`${rough(one.lift)}×`, percent(one.share)],
  ));
  return table(`Typical ${what}s`, [what, "lift", "of its users"], classes, rows);
}

// `act` says what can be done: `open` an intent, `add` an item, take a `user`.
export function showIntent(container, intent, act) {
  const addable = (one) => [
    one.title, " ",
    button("Add", `add ${one.value}`, `Add ${one.title} to the history`, () => act.add({ id: one.value })),
  ];
  const focused = container.contains(document.activeElement);
  container.replaceChildren(...[
    element("h3", { tabindex: "-1" }, intent.name),
    element(
      "p", {},
      `Intent ${intent.id}: ${number(intent.users)} users, ${percent(intent.share)} of all. `
      + "The lift says how many times more often its users have something than others.",
    ),
    typical("value", intent.values, (one) => `${one.kind} ${one.title}`),
    typical("item", intent.items, addable),
    element("h4", {}, "Its nearest intents"),
    element("ul", { class: "chips" }, intent.neighbours.map((one) => element(
      "li", {}, opener(one, act.open, "near"),
    ))),
    element("h4", {}, "Its most typical users"),
    element("ul", { class: "chips" }, intent.examples.map((user) => element(
      "li", {}, button(user, `user ${user}`, `Take the history of user ${user}`, () => act.user(user)),
    ))),
  ].filter((part) => part !== null));
  if (focused) container.firstChild.focus();
}
