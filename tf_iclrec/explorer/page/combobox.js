// A text field with suggestions, as the ARIA Authoring Practices describe it: arrow keys move,
// Enter chooses, Escape closes.

import { element } from "./elements.js";

// `find` gives the options `{ title, hint, ... }` for what is typed; `choose` gets one of them.
export function combobox(input, find, choose) {
  const list = element("ul", {
    role: "listbox", id: `${input.id}-options`, "aria-label": "Suggestions",
  });
  const none = element("p", { role: "status", class: "none" });
  const attributes = {
    role: "combobox", autocomplete: "off", spellcheck: "false", "aria-autocomplete": "list",
    "aria-expanded": "false", "aria-controls": list.id,
  };
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  list.hidden = true;
  input.after(list, none);

  let options = [];
  let active = -1;
  let search = Promise.resolve();

  function close() {
    list.hidden = true;
    options = [];
    none.textContent = "";
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function take(option) {
    input.value = "";
    close();
    choose(option);
  }

  function activate(index) {
    active = index;
    [...list.children].forEach((one, place) => one.setAttribute("aria-selected", place === index));
    if (index < 0) return;
    input.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  async function look() {
    const typed = input.value;
    const found = await find(typed);
    if (input.value !== typed || document.activeElement !== input) return;
    close();
    options = found;
    list.replaceChildren(...options.map((option, place) => element("li", {
      role: "option", id: `${list.id}-${place}`, "aria-selected": "false",
      // The field keeps the focus.
      onmousedown: (event) => event.preventDefault(),
      onclick: () => take(option),
    }, option.title, " ", element("small", {}, option.hint))));
    activate(-1);
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(options.length > 0));
    if (!options.length) none.textContent = "Nothing is called so.";
  }

  async function choosing() {
    await search;
    if (options.length) take(options[Math.max(active, 0)]);
  }

  const keys = {
    ArrowDown: () => (options.length ? activate((active + 1) % options.length) : open()),
    ArrowUp: () => options.length && activate((active < 1 ? options.length : active) - 1),
    Enter: choosing,
    Escape: () => { input.value = ""; close(); },
  };

  function open() {
    search = look();
  }

  input.addEventListener("input", open);
  input.addEventListener("click", open);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
}
