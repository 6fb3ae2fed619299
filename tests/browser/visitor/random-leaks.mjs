/**
 * Runs in the page: builds a random tree, then changes it at random. `cAnAry<n>` is only ever put where
 * it is masked; `plain<n>` anywhere else.
 */
export async function randomLeaks({ seed, build = false, steps = 0 }) {
  let state = seed * 2654435761 + 1;
  const random = (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
    return (state >>> 8) % below;
  };
  const pick = (list) => list[random(list.length)];
  const main = document.querySelector("main");
  const TAGS = ["div", "p", "span", "b", "i", "input", "textarea", "select", "a", "img", "section", "ul", "svg", "button", "label", "details", "x-y"];
  const ATTRIBUTES = ["title", "alt", "value", "placeholder", "href", "src", "data-x", "aria-label", "onclick", "style", "srcset", "label", "name"];
  const isMasked = (node) => {
    for (let at = node; at; at = at.parentNode ?? at.host) {
      if (at.nodeType === 1 && at.matches(".secret, [data-private], b > i")) return true;
      if (at.seenMasked) return true;
    }
    return false;
  };
  let count = 0;
  const word = (node) => `${isMasked(node) ? "cAnAry" : "plain"}${(count += 1)}`;
  const everything = () => {
    const found = [];
    const walk = (root) => {
      for (const element of root.querySelectorAll("*")) {
        found.push(element);
        if (element.shadowRoot) walk(element.shadowRoot);
      }
    };
    walk(main);
    return found.length ? found : [main];
  };
  const fill = (element) => {
    const name = pick(ATTRIBUTES);
    const value = word(element);
    element.setAttribute(name, name === "style" ? `--x: "${value}"; background: url(/${value})` : `/${value}`);
  };
  // What scripts put into a text area no recorder sees, nor what becomes of it there: nobody can remember.
  const place = () => pick([main, ...everything()].filter((element) => !element.closest("textarea")));
  const grow = () => {
    const parent = place();
    const element = document.createElement(pick(TAGS));
    const root = parent.shadowRoot && random(2) ? parent.shadowRoot : parent;
    if (!random(4)) element.className = "secret";
    if (!random(9)) element.setAttribute("data-private", "");
    root.append(element);
    if (!random(6) && ["DIV", "P", "SPAN", "SECTION", "X-Y"].includes(element.tagName)) element.attachShadow({ mode: "open" });
    element.append(word(element));
    fill(element);
    if ("value" in element && !random(2)) element.value = word(element);
  };
  // What was masked once stays masked once the recorder saw it: the model remembers that, too.
  const remember = () => {
    for (const element of everything()) {
      if (isMasked(element)) element.seenMasked = true;
      for (const child of element.childNodes) if (isMasked(child)) child.seenMasked = true;
    }
  };
  const change = () => {
    const element = pick(everything());
    switch (random(9)) {
      case 0:
        return grow();
      case 1:
        return fill(element);
      case 2:
        return (element.textContent = word(element));
      case 3:
        if (element.firstChild?.nodeType === 3) element.firstChild.data = word(element);
        return undefined;
      case 4:
        return element.classList.add("secret");
      case 5:
        return element.classList.remove("secret");
      case 6: {
        const other = place();
        if (!element.contains(other) && other.getRootNode() === document) other.append(element);
        return undefined;
      }
      case 7:
        return element.remove();
      default:
        if ("value" in element && element.tagName !== "LI") {
          element.value = word(element);
          element.dispatchEvent(new Event("input", { bubbles: true }));
        }
        return undefined;
    }
  };
  if (build) for (let nodes = 0; nodes < 60; nodes += 1) grow();
  const rest = () => new Promise((resolve) => setTimeout(resolve, 0));
  if (!build) {
    await rest();
    remember();
  }
  for (let step = 0; step < steps; step += 1) {
    change();
    // Always a task between two changes, so that the recorder sees each state.
    await rest();
    remember();
  }
}
