// Items as rows of lists.

import { element } from "./elements.js";

const upTo = (digits) => new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format;
export const number = upTo(3);
export const rough = upTo(1);
export const percent = (value) => `${rough(100 * value)}%`;
export const nameOf = (item) => item.title || item.id;

// A button; `focus` tells `fill` which one it is, and `spoken` is read in place of the text.
export function button(text, focus, spoken, onclick) {
  const attributes = { type: "button", "data-focus": focus, "aria-label": spoken, onclick };
  return element("button", attributes, text);
}

// A row: its place, the item's name with what is known of it, and what can be done.
export function itemRow(item, { place, marks = [], facts = [], below = [], actions = [] }) {
  const known = Object.entries(item.known).map(([name, value]) => `${name} ${value}`);
  const parts = [...(item.title ? [item.id] : []), ...known, ...facts];
  return element(
    "li", { "data-id": item.id },
    element("span", { class: "place" }, String(place)),
    element(
      "div", {},
      element("p", {}, nameOf(item), ...marks),
      element("p", { class: "fine-print" }, parts.join(" · ")),
      ...below,
    ),
    element("div", { class: "actions" }, ...actions),
  );
}
