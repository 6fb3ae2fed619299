import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** What the compiler says of a source that stands in a folder beside this file. */
export async function problemsOf(source: string): Promise<string> {
  const folder = await mkdtemp(join(HERE, ".examples-"));
  try {
    await writeFile(join(folder, "examples.ts"), source);
    const compilerOptions = { exactOptionalPropertyTypes: true };
    const config = { extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"], exclude: [] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    await promisify(execFile)(join(HERE, "../node_modules/.bin/tsc"), ["-p", folder]);
    return "";
  } catch (problem) {
    return `${(problem as { stdout?: string }).stdout ?? problem}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}
