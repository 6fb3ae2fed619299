// Bundles the browser's scripts. `node build.mjs <folder> <node_modules>` writes them for build.rs and
// prints the files that went in, one a line; tests import `bundle`.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const BROWSERS = ["chrome103", "firefox113", "safari16.4"];

/**
 * The visitor's scripts as `{name, text, integrity}`, and the files that they were made of.
 *
 * The loader knows the core by its name and hash, so that no other core can run under it. `replace`
 * puts another module in the place of one of ours: tests look at what happens without it.
 */
export async function bundle({ modules = join(HERE, "node_modules"), replace = {} } = {}) {
  const esbuild = createRequire(join(modules, "index.js"))("esbuild");
  const { version } = JSON.parse(await readFile(join(HERE, "package.json"), "utf8"));
  const options = { modules, replace, define: { __VERSION__: JSON.stringify(version) } };

  const core = await script(esbuild, "visitor/core/main.ts", options);
  const coreName = `core.${core.hash}.js`;
  options.define.__CORE_FILE__ = JSON.stringify(coreName);
  options.define.__CORE_INTEGRITY__ = JSON.stringify(core.integrity);
  const loader = await script(esbuild, "visitor/loader/main.ts", options);

  return {
    loader: { name: "loader.js", text: loader.text, integrity: loader.integrity },
    core: { name: coreName, text: core.text, integrity: core.integrity },
    inputs: [...new Set([...loader.inputs, ...core.inputs])].sort(),
  };
}

async function script(esbuild, entry, { modules, replace, define }) {
  const result = await esbuild.build({
    entryPoints: [join(HERE, entry)],
    absWorkingDir: HERE,
    bundle: true,
    minify: true,
    format: "iife",
    target: BROWSERS,
    charset: "ascii", // a page's charset must not change what the script says
    legalComments: "none",
    treeShaking: true,
    metafile: true,
    write: false,
    define: { ...define, "Array.from": "arrayFrom" },
    inject: [join(HERE, "shared/array-from.ts")],
    plugins: [packagesFrom(modules), replacing(replace), recorder],
    logLevel: "silent",
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
  // Canvases are never recorded; their code would start workers from strings, and is a tenth of the bundle.
  [/\nclass CanvasManager \{[^]*?\n\}\n/, NO_CANVAS],
  [/\nconst jsContent = '.*';\nconst blob = .*;\n/, "\n"],
  // Frames of a frameset are recorded like inline frames.
  ['if (tagName === "iframe" && !keepIframeSrcFn', 'if (/^i?frame$/.test(tagName) && !keepIframeSrcFn'],
  ['&& serializedNode.tagName === "iframe") {', "&& /^i?frame$/.test(serializedNode.tagName)) {"],
  ['return Boolean(n.nodeName === "IFRAME" && ', "return Boolean(/^I?FRAME$/.test(n.nodeName) && "],
];

/** Notices of the packages of which something is in the bundles. */
async function notices(inputs, modules) {
  const packages = new Set();
  for (const input of inputs) {
    const inside = relative(modules, input);
    if (inside.startsWith("..")) continue;
    const parts = inside.split("/");
    packages.add(parts.slice(0, parts[0].startsWith("@") ? 2 : 1).join("/"));
  }
  const texts = [...packages].sort().map(async (name) => {
    const folder = join(modules, name);
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const terms = file ? await readFile(join(folder, file), "utf8") : `License: ${manifest.license}`;
    return `${name} ${manifest.version}\n\n${terms.trim()}\n`;
  });
  return (await Promise.all(texts)).join("\n\n");
}

async function main(folder, modules) {
  const made = await bundle({ modules });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { name, text } of [made.loader, made.core]) await writeFile(join(folder, name), text);
  await writeFile(join(folder, "licenses.txt"), await notices(made.inputs, modules));
  await writeFile(join(folder, "assets.rs"), rust(folder, made));
  const ours = made.inputs.filter((input) => !relative(HERE, input).startsWith(".."));
  console.log(ours.join("\n"));
}

/** What `include!` gives the backend: names, hashes and bytes. */
function rust(folder, { loader, core }) {
  const file = (name) => `include_bytes!(${JSON.stringify(join(folder, name))})`;
  return [
    `pub const LOADER: &[u8] = ${file(loader.name)};`,
    `pub const CORE_NAME: &str = ${JSON.stringify(core.name)};`,
    `pub const CORE_INTEGRITY: &str = ${JSON.stringify(core.integrity)};`,
    `pub const CORE: &[u8] = ${file(core.name)};`,
    `pub const LICENSES: &[u8] = ${file("licenses.txt")};`,
    "",
  ].join("\n");
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const [folder, modules] = argv.slice(2);
  await main(resolve(folder), resolve(modules));
}
