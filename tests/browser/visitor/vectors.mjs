// Ways by which something private could leave a page. Each has a canary of its own, and none may be
// in the bytes of the socket. `c` is the canary.
//
// html: in the page from the start. setup, late: run in the page, before the session and once agents
// watch; `at` is the vector's own section. act: what the visitor does. safe: why the recorder alone
// does not give it away; for all others the canary must be seen when the mask layer is off.

export const MASKS = [".secret", "#masked-id", "[data-private]", ".outer > .inner", "x-account"];
/** What the page itself says is masked. */
export const DESCRIBED = [".described"];
export const GROUP = 1;

const ONE_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

export const VECTORS = [
  // What the measurements of other recorders' masks planted.
  { name: "text", html: (c) => `<p class="secret">${c}</p>` },
  { name: "text deep inside", html: (c) => `<div class="secret"><ul><li><b><i>${c}</i></b></li></ul></div>` },
  { name: "value of an input", html: (c) => `<input class="secret" value="${c}">` },
  { name: "value of an input inside", html: (c) => `<div data-private><input value="${c}"></div>` },
  { name: "text of a textarea", html: (c) => `<textarea class="secret">${c}</textarea>` },
  { name: "placeholder", html: (c) => `<input class="secret" placeholder="${c}">` },
  { name: "alt", html: (c) => `<img class="secret" alt="${c}" src="${ONE_PIXEL}">` },
  { name: "title attribute", html: (c) => `<span class="secret" title="${c}">x</span>` },
  { name: "aria-label", html: (c) => `<button class="secret" aria-label="${c}">x</button>` },
  { name: "data attribute", html: (c) => `<div class="secret" data-account="${c}">x</div>` },
  { name: "href", html: (c) => `<a class="secret" href="/account/${c}">x</a>` },
  { name: "src", html: (c) => `<img class="secret" src="/photo/${c}">` },
  { name: "text of an option", html: (c) => `<select class="secret"><option>${c}</option></select>` },
  { name: "value of an option", html: (c) => `<select class="secret"><option value="${c}" selected>x</option></select>` },
  { name: "label of an optgroup", html: (c) => `<select class="secret"><optgroup label="${c}"><option>x</option></optgroup></select>` },
  { name: "value of a radio button", html: (c) => `<input class="secret" type="radio" value="${c}" checked>` },
  { name: "value of a checkbox", html: (c) => `<input class="secret" type="checkbox" value="${c}">` },
  { name: "attribute glance_masked", html: (c) => `<p glance_masked="true">${c}</p>` },
  { name: "class glance_masked", html: (c) => `<p class="a glance_masked b">${c}</p>` },
  {
    name: "shadow root of a masked host",
    html: () => `<div class="secret"></div>`,
    setup: (c) => `at.firstChild.attachShadow({ mode: "open" }).innerHTML = "<p>${c}</p>"`,
  },
  {
    name: "masked element in a shadow root",
    html: () => `<div></div>`,
    setup: (c) => `at.firstChild.attachShadow({ mode: "open" }).innerHTML = "<p class=secret>${c}</p>"`,
  },
  {
    name: "shadow root in a shadow root",
    html: () => `<div class="secret"></div>`,
    setup: (c) => `
      const outer = at.firstChild.attachShadow({ mode: "open" });
      outer.innerHTML = "<div></div>";
      outer.firstChild.attachShadow({ mode: "open" }).innerHTML = "<i title='${c}'>${c}</i>"`,
  },
  { name: "frame in a masked element", html: (c) => `<div class="secret"><iframe srcdoc="<p>${c}</p>"></iframe></div>` },
  { name: "masked element in a frame", html: (c) => `<iframe srcdoc="<p class=secret>${c}</p>"></iframe>` },
  { name: "masked frame", html: (c) => `<iframe class="secret" src="/frame/tagged?${c}"></iframe>` },
  { name: "text that changes", html: () => `<p class="secret">x</p>`, late: (c) => `at.firstChild.firstChild.data = "${c}"` },
  { name: "text that is set", html: () => `<p class="secret">x</p>`, late: (c) => `at.firstChild.textContent = "${c}"` },
  { name: "attribute that changes", html: () => `<p class="secret">x</p>`, late: (c) => `at.firstChild.title = "${c}"` },
  { name: "src that changes", html: () => `<img class="secret" src="${ONE_PIXEL}">`, late: (c) => `at.firstChild.src = "/photo/${c}"` },
  { name: "node added to a masked element", html: () => `<div class="secret"></div>`, late: (c) => `at.firstChild.innerHTML = "<b title='${c}'>${c}</b>"` },
  { name: "masked node added", html: () => ``, late: (c) => `at.innerHTML = "<b class=secret data-x='${c}'>${c}</b>"` },
  { name: "typed text", html: () => `<input class="secret">`, act: (page, at, c) => page.fill(`${at} input`, c) },
  { name: "typed text in a textarea", html: () => `<textarea class="secret"></textarea>`, act: (page, at, c) => page.fill(`${at} textarea`, c) },

  // More of them.
  { name: "id", html: (c) => `<p id="masked-id">${c}</p>` },
  { name: "child combinator", html: (c) => `<div class="outer"><p class="inner">${c}</p></div>` },
  { name: "custom element", html: (c) => `<x-account number="${c}">${c}</x-account>` },
  {
    name: "defined custom element",
    html: (c) => `<x-account number="${c}"></x-account>`,
    setup: (c) => `customElements.get("x-account") || customElements.define("x-account", class extends HTMLElement {
      connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML = "<b>" + this.getAttribute("number") + "</b>"; }
    })`,
  },
  { name: "mask of this group", html: (c) => `<p data-cobrowse-mask-groups="9 ${GROUP}">${c}</p>` },
  { name: "described by the page", html: (c) => `<p class="described">${c}</p>` },
  { name: "hidden input", html: (c) => `<input type="hidden" name="csrf" value="${c}">` },
  { name: "password", html: (c) => `<input type="password" value="${c}">`, safe: "the recorder masks passwords" },
  {
    name: "password shown in clear",
    html: (c) => `<input type="password" value="x">`,
    late: (c) => `at.firstChild.type = "text"; setTimeout(() => { at.firstChild.value = "${c}"; }, 50)`,
    safe: "the recorder remembers passwords",
  },
  { name: "card number", html: () => `<input autocomplete="cc-number">`, act: (page, at, c) => page.fill(`${at} input`, c) },
  { name: "one-time code", html: (c) => `<input autocomplete="one-time-code" value="${c}">` },
  { name: "srcset", html: (c) => `<img class="secret" srcset="/photo/${c} 1x, /photo/${c}@2 2x">` },
  { name: "source of a picture", html: (c) => `<picture class="secret"><source srcset="/photo/${c}"><img></picture>` },
  { name: "poster", html: (c) => `<video class="secret" poster="/still/${c}"><source src="/film/${c}"></video>` },
  { name: "object and embed", html: (c) => `<object class="secret" data="/doc/${c}"></object><embed class="secret" src="/doc/${c}">` },
  { name: "contenteditable", html: (c) => `<div class="secret" contenteditable>${c}</div>` },
  {
    name: "typed into contenteditable",
    html: () => `<div class="secret" contenteditable>x</div>`,
    act: async (page, at, c) => {
      await page.click(`${at} div`);
      await page.keyboard.type(c);
    },
  },
  { name: "text in svg", html: (c) => `<svg class="secret"><title>${c}</title><text x="1" y="9">${c}</text></svg>` },
  { name: "masked text in svg", html: (c) => `<svg><text class="secret" y="9">${c}</text></svg>` },
  { name: "link in svg", html: (c) => `<svg class="secret"><use href="/s.svg#${c}"></use><a xlink:href="/${c}"></a></svg>` },
  {
    name: "canvas",
    html: (c) => `<canvas class="secret">${c}</canvas>`,
    setup: (c) => `at.firstChild.getContext("2d").fillText("${c}", 1, 9)`,
  },
  { name: "content in a style sheet", html: (c) => `<style>.v-content::before { content: "${c}" }</style><i class="v-content secret"></i>` },
  { name: "custom property in a style sheet", html: (c) => `<style>.v-prop { --account: "${c}" } .v-quotes { quotes: "${c}" "x" }</style><i class="v-prop secret"></i>` },
  { name: "custom property of an element", html: () => `<i class="secret"></i>`, late: (c) => `at.firstChild.style.setProperty("--account", "${c}")` },
  { name: "image of an element", html: () => `<i class="secret"></i>`, late: (c) => `at.firstChild.style.backgroundImage = "url(/photo/${c})"` },
  { name: "image of an element from the start", html: (c) => `<i class="secret" style="width: 9px; background: url(/photo/${c})"></i>` },
  { name: "image by a style sheet", html: (c) => `<style>.v-image { background: url(/photo/${c}) }</style><i class="v-image secret"></i>` },
  { name: "image by a linked style sheet", html: () => `<i class="v-linked secret"></i>`, sheet: (c) => `.v-linked { background: red url("/photo/${c}") }` },
  { name: "image of what is in a masked element", html: () => `<div class="secret"><i class="v-inside"></i></div>`, sheet: (c) => `div > .v-inside::before { content: url(/photo/${c}) }` },
  { name: "image by a custom property", html: () => `<i class="v-var secret"></i>`, sheet: (c) => `:root { --v-photo: url(/photo/${c}) } .v-var { background: var(--v-photo) }` },
  { name: "image by an animation", html: () => `<i class="v-frames secret"></i>`, sheet: (c) => `@keyframes v { from { background: url(/photo/${c}) } } @media screen { .v-frames { animation: v 1s } }` },
  { name: "image by a nested rule", html: () => `<i class="v-nested secret"></i>`, sheet: (c) => `section { & .v-nested { list-style-image: url(/photo/${c}) } }` },
  {
    name: "image by a sheet that a script writes",
    html: () => `<i class="v-written secret"></i>`,
    setup: () => `
      const sheet = (window.written = new CSSStyleSheet());
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]`,
    late: (c) => `
      written.replaceSync("b { color: red } .v-written { background: u\\\\72l(/photo/${c}) }");
      written.insertRule(".v-written:hover { background: image-set('/photo/${c}' 1x) }");
      written.cssRules[1].style.setProperty("background-image", "url(/photo/${c})")`,
  },
  {
    name: "image by a sheet that is written in parts",
    html: () => `<i class="v-parts secret"></i><style></style>`,
    late: (c) => `at.querySelector("style").append(".v-pa", "rts { background: ", "url(/photo/${c})", " }")`,
  },
  { name: "id that says something", html: (c) => `<p class="secret" id="${c}">x</p>` },
  { name: "class that says something", html: (c) => `<p class="secret customer-${c}">x</p>` },
  { name: "class that comes to say something", html: () => `<p class="secret">x</p>`, late: (c) => `at.firstChild.classList.add("${c}")` },
  { name: "type, lang and direction that say something", html: (c) => `<input class="secret" type="${c}" lang="${c}" dir="${c}" size="${c}"><table class="secret" width="${c}" align="${c}"></table>` },
  { name: "view box that says something", html: (c) => `<svg class="secret" viewBox="0 0 1 ${c}" xmlns="${c}"></svg>` },
  {
    name: "adopted style sheet",
    html: () => `<i class="secret"></i>`,
    setup: (c) => `
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(".v-adopted::after { content: '${c}' }");
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]`,
  },
  {
    name: "adopted style sheet of a shadow root",
    html: () => `<div></div>`,
    late: (c) => `
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("i::after { content: '${c}' }");
      const root = at.firstChild.attachShadow({ mode: "open" });
      root.innerHTML = "<i class=secret></i>";
      root.adoptedStyleSheets = [sheet]`,
  },
  { name: "inserted rule", html: () => `<style class="v-sheet">b { color: red }</style>`, late: (c) => `at.querySelector("style").sheet.insertRule(".secret::after { content: '${c}' }")` },
  {
    name: "set declaration",
    html: () => `<style>.v-decl::after { color: red }</style>`,
   
    late: (c) => `at.querySelector("style").sheet.cssRules[0].style.setProperty("content", "'${c}'")`,
  },
  { name: "title of the page", html: () => ``, setup: (c) => `document.title = "Account " + "${c}"` },
  { name: "title of the page that changes", html: () => ``, late: (c) => `document.title = "${c}"` },
  { name: "comment", html: (c) => `<!-- ${c} -->`, safe: "the recorder leaves comments out" },
  { name: "comment added", html: () => ``, late: (c) => `at.append(new Comment("${c}"))`, safe: "the recorder leaves comments out" },
  { name: "query of the page", query: true },
  { name: "query of a later page", html: () => ``, late: (c) => `history.pushState(null, "", "?later=${c}#${c}")`, safe: "the recorder says a page's URL once" },
  { name: "query of a link", html: (c) => `<a href="/next?token=${c}#${c}">next</a>` },
  { name: "address of a form", html: (c) => `<form action="/send?token=${c}"><button formaction="/send?t=${c}">x</button></form>` },
  { name: "meta", html: () => ``, head: (c) => `<meta name="csrf-token" content="${c}"><meta property="og:title" content="${c}">` },
  { name: "choices of a masked field", html: (c) => `<input class="secret" list="v-list"><datalist id="v-list"><option value="${c}">${c}</option></datalist>` },
  { name: "details", html: (c) => `<details class="secret"><summary>${c}</summary><p>${c}</p></details>` },
  { name: "dialog", html: (c) => `<dialog class="secret"><p>${c}</p></dialog>`, late: () => `at.firstChild.showModal(); at.firstChild.close()` },
  { name: "only for print", html: (c) => `<style>@media screen { .v-print { display: none } }</style><p class="v-print secret">${c}</p>` },
  { name: "not displayed", html: (c) => `<p hidden class="secret">${c}</p>` },
  { name: "handler", html: (c) => `<button onclick="show('${c}')">x</button>` },
  { name: "noscript", html: (c) => `<div class="secret"><noscript>${c}</noscript></div>` },
  { name: "template", html: (c) => `<template class="secret"><p title="${c}">${c}</p></template>`, safe: "the recorder leaves what is in templates out" },
  { name: "progress and meter", html: (c) => `<progress class="secret" max="${c}" aria-valuetext="${c}"></progress>` },
  { name: "unknown attribute", html: (c) => `<p class="secret" zz-${"x"}="${c}">x</p>` },
  { name: "slotted into a masked element", html: (c) => `<div><b title="${c}">${c}</b></div>`, setup: () => `at.firstChild.attachShadow({ mode: "open" }).innerHTML = "<p class=secret><slot></slot></p>"` },
  { name: "closed shadow root", html: () => `<div class="secret"></div>`, setup: (c) => `at.firstChild.attachShadow({ mode: "closed" }).innerHTML = "<p>${c}</p>"`, safe: "the recorder does not see it" },
  { name: "shadow root added", html: () => `<div class="secret"></div>`, late: (c) => `at.firstChild.attachShadow({ mode: "open" }).innerHTML = "<p>${c}</p>"` },
  {
    name: "change in a shadow root",
    html: () => `<div class="secret"></div>`,
    setup: () => `at.firstChild.attachShadow({ mode: "open" }).innerHTML = "<p>x</p>"`,
    late: (c) => `const { shadowRoot } = at.firstChild; shadowRoot.firstChild.textContent = "${c}"; shadowRoot.append("${c}")`,
  },
  { name: "frame without a tag", html: (c) => `<iframe src="/frame/untagged?${c}"></iframe>` },
  { name: "frame without a grant", html: (c) => `<iframe src="/frame/ungranted?${c}"></iframe>` },
  { name: "frame with a forged list of groups", html: (c) => `<iframe src="/frame/forged?${c}"></iframe>` },
  { name: "frame that the backend refuses", html: (c) => `<iframe src="/frame/refused?${c}"></iframe>` },
  { name: "what only a frame's own rule masks", html: (c) => `<iframe src="/frame/own?${c}"></iframe>` },
  { name: "node of a script that only a frame's own rule masks", html: () => `<iframe src="/frame/own"></iframe>`, late: (c) => `at.firstChild.contentDocument.body.insertAdjacentHTML("beforeend", "<p class=only-here title='${c}'>${c}</p>")` },
  {
    name: "frame without an address in a frame with its own rule",
    html: () => `<iframe src="/frame/own"></iframe>`,
    late: (c) => `
      const inner = at.firstChild.contentDocument.createElement("iframe");
      inner.srcdoc = "<p class=only-here>${c}</p>";
      at.firstChild.contentDocument.body.append(inner)`,
  },
  { name: "frame that goes to a page of another group", html: () => `<iframe src="/frame/own"></iframe>`, late: (c) => `at.firstChild.src = "/frame/other?${c}"` },
  {
    name: "change in a frame without a tag",
    html: () => `<iframe src="/frame/untagged"></iframe>`,
    late: (c) => `
      const { body, adoptedStyleSheets } = at.firstChild.contentDocument;
      body.append("${c}");
      body.title = "${c}";
      const sheet = new (at.firstChild.contentWindow.CSSStyleSheet)();
      sheet.replaceSync("i { background: url(/${c}) }");
      at.firstChild.contentDocument.adoptedStyleSheets = [sheet];
      setTimeout(() => sheet.insertRule("b { background: url(/${c}) }"), 100)`,
  },
  { name: "typed text in a frame without a tag", html: () => `<iframe src="/frame/untagged"></iframe>`, act: (page, at, c) => page.frameLocator(`${at} iframe`).locator("input").fill(c) },
  { name: "frame of another group", html: (c) => `<iframe src="/frame/other?${c}"></iframe>` },
  { name: "masked element in a tagged frame", html: (c) => `<iframe src="/frame/masking?${c}"></iframe>` },
  {
    name: "change in a frame",
    html: () => `<iframe srcdoc="<p class=secret>x</p>"></iframe>`,
    late: (c) => `const { contentDocument } = at.firstChild; contentDocument.querySelector("p").textContent = "${c}"`,
  },
  {
    name: "frame written by a script",
    html: () => `<iframe></iframe>`,
    late: (c) => `at.firstChild.contentDocument.body.innerHTML = "<p class=secret title='${c}'>${c}</p>"`,
  },
  {
    name: "frame opened by a script",
    html: () => `<iframe></iframe>`,
    late: (c) => `
      const { contentDocument } = at.firstChild;
      contentDocument.open();
      contentDocument.write("<p class=secret title='${c}'>${c}</p>");
      contentDocument.close()`,
  },
  {
    name: "frame that was served, and opened by a script",
    html: () => `<iframe src="/frame/untagged"></iframe>`,
    late: (c) => `
      const { contentDocument } = at.firstChild;
      contentDocument.open();
      contentDocument.write("<p>${c}</p>");
      contentDocument.close()`,
  },
  { name: "frame without a tag that takes the page's address", html: () => `<iframe src="/frame/untagged"></iframe>`, late: (c) => `at.firstChild.contentWindow.history.replaceState(null, "", location.href); at.firstChild.contentDocument.body.append("${c}")` },
  { name: "frame added to a masked element", html: () => `<div class="secret"></div>`, late: (c) => `at.firstChild.innerHTML = "<iframe srcdoc='<p>${c}</p>'></iframe>"` },
  { name: "class added, then text", html: () => `<p>x</p>`, late: (c) => `at.firstChild.className = "secret"; setTimeout(() => { at.firstChild.textContent = "${c}"; }, 100)` },
  { name: "class and text at once", html: () => `<p>x</p>`, late: (c) => `at.firstChild.textContent = "${c}"; at.firstChild.className = "secret"` },
  { name: "glance_masked added late", html: () => `<p>x</p>`, late: (c) => `at.firstChild.setAttribute("glance_masked", "true"); setTimeout(() => { at.firstChild.append("${c}"); }, 100)` },
  { name: "ancestor masked late", html: () => `<div><p>x</p></div>`, late: (c) => `at.firstChild.setAttribute("data-private", ""); setTimeout(() => { at.querySelector("p").title = "${c}"; }, 100)` },
  { name: "mask taken away", html: (c) => `<p class="secret">${c}</p>`, late: (c) => `at.firstChild.className = ""; setTimeout(() => { at.firstChild.textContent = "${c}!"; at.firstChild.title = "${c}"; }, 50)` },
  { name: "node moved out of its mask", html: (c) => `<div class="secret"><p>${c}</p></div>`, late: () => `at.append(at.querySelector("p"))` },
  { name: "node taken out and put back elsewhere", html: (c) => `<div class="secret"><p>${c}</p></div>`, late: () => `const p = at.querySelector("p"); p.remove(); setTimeout(() => at.append(p), 100)` },
  { name: "node moved into a mask", html: () => `<p>x</p><div class="secret"></div>`, late: (c) => `const p = at.querySelector("p"); at.querySelector("div").append(p); p.textContent = "${c}"` },
  { name: "value set by a script", html: () => `<input class="secret">`, late: (c) => `at.firstChild.value = "${c}"` },
  { name: "value attribute set by a script", html: () => `<input class="secret">`, late: (c) => `at.firstChild.setAttribute("value", "${c}")` },
  { name: "text of a textarea set by a script", html: () => `<textarea class="secret"></textarea>`, late: (c) => `at.firstChild.textContent = "${c}"` },
  { name: "autofill", html: () => `<input class="secret">`, late: (c) => `at.firstChild.value = "${c}"; for (const name of ["input", "change"]) at.firstChild.dispatchEvent(new Event(name, { bubbles: true }))` },
  {
    name: "text put in by a method of input",
    html: () => `<input class="secret">`,
    act: async (page, at, c) => {
      await page.focus(`${at} input`);
      await page.keyboard.insertText(c);
    },
  },
  {
    name: "clipboard: pasted into a field",
    html: () => `<input class="secret">`,
    act: async (page, at, c) => {
      await page.evaluate((text) => navigator.clipboard.writeText(text), c);
      await page.focus(`${at} input`);
      await page.keyboard.press("Control+V");
      if ((await page.inputValue(`${at} input`)) !== c) throw new Error("nothing was pasted");
    },
  },
  {
    name: "clipboard: pasted into an editable element",
    html: () => `<div class="secret" contenteditable>x</div>`,
    act: async (page, at, c) => {
      await page.evaluate((text) => navigator.clipboard.write([new ClipboardItem({ "text/html": new Blob([`<b title="${text}">${text}</b>`], { type: "text/html" }) })]), c);
      await page.click(`${at} div`);
      await page.keyboard.press("Control+V");
      if (!(await page.textContent(`${at} div`)).includes(c)) throw new Error("nothing was pasted");
    },
  },
  {
    name: "clipboard: copied and cut",
    html: (c) => `<textarea class="secret">${c}</textarea>`,
    act: async (page, at, c) => {
      await page.focus(`${at} textarea`);
      await page.keyboard.press("Control+A");
      await page.keyboard.press("Control+C");
      await page.keyboard.press("Control+X");
      if ((await page.evaluate(() => navigator.clipboard.readText())) !== c) throw new Error("nothing was cut");
      await page.keyboard.press("Control+V");
    },
  },
  { name: "choice in a masked select", html: (c) => `<select class="secret"><option>x</option><option value="${c}">${c}</option></select>`, act: (page, at, c) => page.selectOption(`${at} select`, c) },
  { name: "choice of a masked radio button", html: (c) => `<div class="secret"><input type="radio" name="r" value="${c}"></div>`, act: (page, at) => page.check(`${at} input`) },
  { name: "masked option of a select", html: (c) => `<select><option>x</option><option class="secret" value="${c}" selected>${c}</option></select>` },
  {
    name: "choice of a masked option",
    html: (c) => `<select><option>x</option><option class="secret" value="${c}">${c}</option></select>`,
    act: (page, at, c) => page.selectOption(`${at} select`, c),
  },
  { name: "masked element in a textarea", html: () => `<textarea></textarea>`, late: (c) => `at.firstChild.append(Object.assign(document.createElement("b"), { className: "secret", textContent: "${c}" }))` },
  { name: "option added to a masked select", html: () => `<select class="secret"></select>`, late: (c) => `at.firstChild.add(new Option("${c}", "${c}"))` },
  { name: "change in svg", html: () => `<svg class="secret"><text>x</text></svg>`, late: (c) => `at.querySelector("text").textContent = "${c}"` },
  { name: "file name", html: () => `<input type="file" class="secret">`, act: (page, at, c) => page.setInputFiles(`${at} input`, { name: `${c}.txt`, mimeType: "text/plain", buffer: Buffer.from("x") }) },
];
