// Bundles the browser's scripts. `node build.mjs <folder> <node_modules>` writes them for build.rs and
// prints the files that went in, one a line; tests import `bundle`.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/**
 * All scripts as `{name, text, integrity}`, and the files that they were made of: the visitor's `loader`
 * and `core`, and the agents' console as its two documents and the `files` that they name.
 *
 * The loader knows the core by its name and hash, so that no other core can run under it. `replace`
 * puts another module in the place of one of ours: tests look at what happens without it.
 */
export async function bundle({ modules = join(HERE, "node_modules"), replace = {} } = {}) {
  const esbuild = createRequire(join(modules, "index.js"))("esbuild");
  const { version } = JSON.parse(await readFile(join(HERE, "package.json"), "utf8"));
  const tools = { esbuild, modules, replace };
  const visitor = await bundleVisitor(tools, version);
  const console = await bundleConsole(tools);
  return { ...visitor, console, inputs: [...new Set([...visitor.inputs, ...console.inputs])].sort() };
}

async function bundleVisitor(tools, version) {
  const define = { __VERSION__: JSON.stringify(version), "Array.from": "arrayFrom" };
  const inject = [join(HERE, "shared/array-from.ts")];
  const core = await built(tools, "visitor/core/main.ts", { ...VISITOR, define, inject });
  const coreName = `core.${core.hash}.js`;
  const known = { __CORE_FILE__: JSON.stringify(coreName), __CORE_INTEGRITY__: JSON.stringify(core.integrity) };
  const loader = await built(tools, "visitor/loader/main.ts", { ...VISITOR, define: { ...define, ...known }, inject });
  return {
    loader: { name: "loader.js", text: loader.text, integrity: loader.integrity },
    core: { name: coreName, text: core.text, integrity: core.integrity },
    inputs: [...loader.inputs, ...core.inputs],
  };
}

const VISITOR = { format: "iife", target: ["chrome103", "firefox113", "safari16.4"] };
const CONSOLE = { format: "esm", target: ["chrome111", "firefox121", "safari16.4"] };

/** The parts of the console: name in the documents, entry, media type. */
const CONSOLE_PARTS = [
  ["CONSOLE_JS", "console/main.ts", "text/javascript; charset=utf-8"],
  ["CONSOLE_CSS", "console/console.css", "text/css; charset=utf-8"],
  ["REPLAY_JS", "console/replay/main.ts", "text/javascript; charset=utf-8"],
];

async function bundleConsole(tools) {
  const inputs = [];
  const files = [];
  let html = await readFile(join(HERE, "console/console.html"), "utf8");
  let replayHtml = await readFile(join(HERE, "console/replay/replay.html"), "utf8");
  for (const [part, entry, type] of CONSOLE_PARTS) {
    const { text, hash, integrity, inputs: from } = await built(tools, entry, CONSOLE);
    const name = part.toLowerCase().replace("_", `.${hash}.`);
    files.push({ name, type, text, integrity });
    inputs.push(...from);
    const put = (page) => page.replaceAll(`__${part}__`, name).replaceAll(`__${part}_INTEGRITY__`, integrity);
    html = put(html);
    replayHtml = put(replayHtml);
  }
  inputs.push(join(HERE, "console/console.html"), join(HERE, "console/replay/replay.html"));
  return { html, replayHtml, files, inputs };
}

async function built({ esbuild, modules, replace }, entry, options) {
  const result = await esbuild.build({
    entryPoints: [join(HERE, entry)],
    absWorkingDir: HERE,
    bundle: true,
    minify: true,
    charset: "ascii", // a page's charset must not change what the script says
    legalComments: "none",
    treeShaking: true,
    metafile: true,
    write: false,
    plugins: [packagesFrom(modules), replacing(replace), recorder],
    logLevel: "silent",
    ...options,
  });
  const text = result.outputFiles[0].text;
  const digest = createHash("sha384").update(text).digest();
  return {
    text,
    hash: digest.toString("hex").slice(0, 16),
    integrity: `sha384-${digest.toString("base64")}`,
    inputs: Object.keys(result.metafile.inputs).map((input) => resolve(HERE, input)),
  };
}

/** Packages come from this folder and no other, whatever lies beside the sources. */
function packagesFrom(modules) {
  return {
    name: "packages",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path, kind, pluginData }) => {
        if (pluginData === modules) return undefined;
        return build.resolve(path, { kind, resolveDir: dirname(modules), pluginData: modules });
      });
    },
  };
}

function replacing(replace) {
  return {
    name: "replace",
    setup(build) {
      for (const [ours, other] of Object.entries(replace)) {
        const path = resolve(HERE, ours);
        build.onLoad({ filter: /\.ts$/ }, async (file) => {
          if (file.path !== path) return undefined;
          return { contents: other, loader: "ts" };
        });
      }
    },
  };
}

/** The recorder, with what is changed in it. */
const recorder = {
  name: "recorder",
  setup(build) {
    build.onLoad({ filter: /@rrweb\/record\/dist\/record\.js$/ }, async (file) => {
      let contents = await readFile(file.path, "utf8");
      for (const [part, other] of RECORDER_CHANGES) {
        if (contents.split(part).length !== 2) {
          return { errors: [{ text: `the recorder has changed: ${part} is not in it once; look at build.mjs` }] };
        }
        contents = contents.replace(part, () => other);
      }
      return { contents, loader: "js" };
    });
  },
};

const NO_CANVAS = `
class CanvasManager {
  reset() {}
  freeze() {}
  unfreeze() {}
  lock() {}
  unlock() {}
}
`;

const RECORDER_CHANGES = [
  // Frames of other origins are never recorded.
  [/\nclass CrossOriginIframeMirror \{[^]*?\n\}\n/, "\nclass CrossOriginIframeMirror {}\n"],
  [/\n  handleMessage\(message\) \{[^]*?\n\}\nclass ShadowDomManager/, "\n}\nclass ShadowDomManager"],
  // Pictures and fonts are not copied; text is masked by us, not in the recorder, for which it asks every node.
  [/\n  if \(tagName === "canvas" && recordCanvas\) \{[^]*?\n  \}\n  if \(tagName === "img" && inlineImages\) \{[^]*?\n  \}\n/, "\n"],
  [/(?<=\nfunction initFontObserver\(\{ fontCb, doc \}\) )\{[^]*?\n\}\n/, "{ return () => {}; }\n"],
  [/(?<=\nfunction needMaskingText\(node, maskTextClass, maskTextSelector, checkAncestors\) )\{[^]*?\n\}\n/, "{ return false; }\n"],
  [/ else if \(slimDOMOptions\.headFavicon && [^]*?(?=\n  \}\n  return false;\n\}\nfunction serializeNodeWithId)/, ""],
  // Canvases are never recorded; their code would start workers from strings, and is a tenth of the bundle.
  [/\nclass CanvasManager \{[^]*?\n\}\n/, NO_CANVAS],
  [/\nconst jsContent = '.*';\nconst blob = .*;\n/, "\n"],
  // Asked for every element; only names with a dash can be custom.
  ["if (customElements.get(tagName)) isCustomElement", 'if (tagName.indexOf("-") > 0 && customElements.get(tagName)) isCustomElement'],
  // Frames of a frameset are recorded like inline frames.
  ['if (tagName === "iframe" && !keepIframeSrcFn', 'if (/^i?frame$/.test(tagName) && !keepIframeSrcFn'],
  ['&& serializedNode.tagName === "iframe") {', "&& /^i?frame$/.test(serializedNode.tagName)) {"],
  ['return Boolean(n.nodeName === "IFRAME" && ', "return Boolean(/^I?FRAME$/.test(n.nodeName) && "],
];

/** Packages that others hold within them, as their makers bundled them. */
const CARRIED = {
  "@rrweb/record": ["base64-arraybuffer"],
  "@rrweb/replay": ["@xstate/fsm", "base64-arraybuffer", "mitt", "nanoid", "picocolors", "postcss", "source-map-js"],
};
/** The terms of packages that come without them. */
const TERMS = { "@rrweb/record": "licenses/rrweb.txt", "@rrweb/replay": "licenses/rrweb.txt" };

/** Notices of the packages of which something is in the bundles. */
export async function notices(inputs, modules) {
  const packages = new Set();
  for (const input of inputs) {
    const inside = relative(modules, input);
    if (inside.startsWith("..")) continue;
    const parts = inside.split("/");
    const name = parts.slice(0, parts[0].startsWith("@") ? 2 : 1).join("/");
    for (const one of [name, ...(CARRIED[name] ?? [])]) packages.add(one);
  }
  const texts = [...packages].sort().map(async (name) => {
    const { version } = JSON.parse(await readFile(join(modules, name, "package.json"), "utf8"));
    return `${name} ${version}\n\n${(await termsOf(name, modules)).trim()}\n`;
  });
  return (await Promise.all(texts)).join("\n\n");
}

async function termsOf(name, modules) {
  if (TERMS[name]) return readFile(join(HERE, TERMS[name]), "utf8");
  const file = (await readdir(join(modules, name))).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} comes without its licence: put it into src/web/licenses`);
  return readFile(join(modules, name, file), "utf8");
}

async function main(folder, modules) {
  const made = await bundle({ modules });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { name, text } of [made.loader, made.core]) await writeCoded(folder, name, text);
  for (const { name, text } of made.console.files) await writeFile(join(folder, name), text);
  await writeFile(join(folder, "console.html"), made.console.html);
  await writeFile(join(folder, "replay.html"), made.console.replayHtml);
  const licenses = await notices(made.inputs, modules);
  await writeCoded(folder, "licenses.txt", licenses);
  await writeFile(join(folder, "assets.rs"), rust(folder, { ...made, licenses }));
  const ours = [...made.inputs, ...Object.values(TERMS).map((file) => join(HERE, file))].filter((input) => !relative(HERE, input).startsWith(".."));
  console.log(ours.join("\n"));
}

/** As it is and compressed, once and as small as can be. */
async function writeCoded(folder, name, text) {
  await writeFile(join(folder, name), text);
  await writeFile(join(folder, `${name}.br`), brotliCompressSync(text));
  await writeFile(join(folder, `${name}.gz`), gzipSync(text, { level: 9 }));
}

/** What `include!` gives the backend: names, hashes and bytes. */
function rust(folder, { loader, core, console, licenses }) {
  const file = (name) => `include_bytes!(${JSON.stringify(join(folder, name))})`;
  const etag = (text) => `W/"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`;
  const coded = (constant, name, text) => [
    `pub const ${constant}_ETAG: &str = ${JSON.stringify(etag(text))};`,
    `pub const ${constant}_BR: &[u8] = ${file(`${name}.br`)};`,
    `pub const ${constant}_GZIP: &[u8] = ${file(`${name}.gz`)};`,
  ];
  return [
    `pub const LOADER: &[u8] = ${file(loader.name)};`,
    ...coded("LOADER", loader.name, loader.text),
    `pub const CORE_NAME: &str = ${JSON.stringify(core.name)};`,
    `pub const CORE_INTEGRITY: &str = ${JSON.stringify(core.integrity)};`,
    `pub const CORE: &[u8] = ${file(core.name)};`,
    ...coded("CORE", core.name, core.text),
    `pub const CONSOLE_HTML: &[u8] = ${file("console.html")};`,
    `pub const REPLAY_HTML: &[u8] = ${file("replay.html")};`,
    "pub const CONSOLE_FILES: &[(&str, &str, &[u8])] = &[",
    ...console.files.map(({ name, type }) => `    (${JSON.stringify(name)}, ${JSON.stringify(type)}, ${file(name)}),`),
    "];",
    `pub const LICENSES: &[u8] = ${file("licenses.txt")};`,
    ...coded("LICENSES", "licenses.txt", licenses),
    "",
  ].join("\n");
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const [folder, modules] = argv.slice(2);
  await main(resolve(folder), resolve(modules));
}
