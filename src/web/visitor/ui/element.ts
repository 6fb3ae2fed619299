type Child = Node | string;

/** An element with properties, attributes and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const name of Object.keys(attributes)) made.setAttribute(name, attributes[name] ?? "");
  for (const child of children) {
    made.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  }
  return made;
}

export function button(id: string, label: string, press: () => void): HTMLButtonElement {
  const made = element("button", { id, type: "button" }, label);
  made.addEventListener("click", press);
  return made;
}
