type Child = Node | string | undefined;
type Attributes = Record<string, string | boolean | undefined>;

/** An element with attributes and children. Text is always text: nothing here reads HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (typeof value === "string") made.setAttribute(name, value);
  }
  for (const child of children) if (child !== undefined) made.append(child);
  return made;
}

export function button(label: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", press);
  return made;
}

/** A field with its name before it. */
export function field(label: string, attributes: Attributes): { row: HTMLLabelElement; input: HTMLInputElement } {
  const input = element("input", attributes);
  return { row: element("label", { class: "field" }, element("span", {}, label), input), input };
}

/** Sets a text only where it is another one: a live region tells of each change. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
