// Elements from nested calls. What is no element becomes text, never markup.

export function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...content.flat().filter((part) => part !== null));
  return made;
}

// Fill an element anew. A control that has the focus keeps it, by its `data-focus`; where it is
// gone, the next one of its list gets it, else the list itself.
export function fill(container, ...content) {
  const active = document.activeElement;
  const held = container.contains(active) ? active.dataset.focus : undefined;
  const controls = () => [...container.querySelectorAll("[data-focus]")];
  const row = (control) => [...container.children].findIndex((one) => one.contains(control));
  const place = held === undefined ? -1 : row(active);
  container.replaceChildren(...content.flat());
  if (held === undefined) return;
  const kind = held.split(" ", 1)[0];
  const alike = controls().filter((one) => one.dataset.focus.startsWith(`${kind} `));
  const same = alike.find((one) => one.dataset.focus === held);
  (same ?? alike.find((one) => row(one) >= place) ?? alike.at(-1) ?? container).focus();
}
