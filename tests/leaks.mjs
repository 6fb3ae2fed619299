// The last step of a run of all tests: nothing that was masked may be in what was left behind of any of them, in
// databases, logs and what went over sockets. `node tests/leaks.mjs <folder>`; the tests fill it if
// COBROWSE_TEST_KEEP names it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * What there must be something of, how its files are called, a word that shows that it can be read, and what must not be
 * in it. Paths are in logs; what one group must not see is on the sockets of another.
 */
const KINDS = {
  databases: { name: /cobrowse\.db/, known: "continue", hidden: /SECRET-[a-z]+-\d+|CANARY|canary-in-[a-z]+/g },
  logs: { name: /\.log$/, known: "/mortgage/apply", hidden: /SECRET-[a-z]+-\d+|CANARY|canary-in-(?!path)[a-z]+/g },
  sockets: { name: /\.sockets$/, known: "Apply for a mortgage", hidden: /SECRET-(?!retail|advisers)[a-z]+-\d+|CANARY|canary-in-[a-z]+/g },
};

/** What is wrong with what was left behind, in lines; `files`: name and content. */
export function problems(files) {
  const found = [];
  for (const [kind, { name, known, hidden }] of Object.entries(KINDS)) {
    const ours = files.filter(([file]) => name.test(file));
    for (const [file, text] of ours) {
      for (const word of new Set(text.match(hidden))) found.push(`${word} is in ${file}`);
    }
    if (!ours.some(([, text]) => text.includes(known))) found.push(`there are no ${kind} to search: none says "${known}"`);
  }
  return found;
}

function main(folder) {
  const files = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "latin1")]);
  const found = problems(files);
  for (const line of found) console.error(`error: ${line}`);
  const bytes = files.reduce((sum, [, text]) => sum + text.length, 0);
  console.log(`${files.length} files, ${bytes} bytes: ${found.length ? "see above" : "nothing masked is in them"}`);
  process.exitCode = found.length ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2]);
