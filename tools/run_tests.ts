/**
 * `deno task test` and `deno task ok`: each step of the checks in turn, with a heading; the first that
 * fails ends the run. The last line counts the tests, also where one failed: `N passed, N failed`. A
 * check other than a test that fails counts as one failure.
 *
 * usage: run_tests.ts [--unit | --tier=FOLDER]
 *   --unit         only the tests beside the code
 *   --tier=FOLDER  nothing but the tests of test/FOLDER, which need real parts
 *
 * @module
 */
import { FOLDERS, typescriptFiles } from "./project_files.ts";
import { parseTestSummary } from "./test_summary.ts";

const unitOnly = Deno.args.includes("--unit");
const tier = Deno.args.find((arg) => arg.startsWith("--tier="))?.slice("--tier=".length);
/** Folders below test/ whose tests need real parts; each is a task of its own. */
const TIERS = ["mesh", "differential", "clients", "browser", "vm"];
const product = await typescriptFiles(FOLDERS.product);
const all = [...product, ...await typescriptFiles(FOLDERS.support)];

const checks: { title: string; args: string[] }[] = [
  { title: "format", args: ["fmt", "--check", "--quiet"] },
  { title: "lint", args: ["lint", "--quiet"] },
  { title: "types", args: ["check", "--quiet", ...all] },
  {
    title: "documentation",
    args: ["run", "--allow-all", "--quiet", "tools/lint_documentation.ts"],
  },
];
for (const { title, args } of tier === undefined ? checks : []) {
  console.log(`== ${title}`);
  const { code } = await deno(args);
  if (code !== 0) end({ failure: `${title} (exit code ${code})` });
}

// Files and not folders: what is ignored below a folder that is named is run all the same.
const files = all.filter((path) => path.endsWith("_test.ts")).filter((path) => {
  if (tier !== undefined) return path.startsWith(`test/${tier}/`);
  const folders = unitOnly ? FOLDERS.product : [...FOLDERS.product, ...FOLDERS.support];
  return folders.some((folder) => path.startsWith(`${folder}/`)) &&
    !TIERS.some((folder) => path.startsWith(`test/${folder}/`));
});
console.log(
  `== tests${tier === undefined ? unitOnly ? " beside the code" : "" : ` of test/${tier}`}`,
);
const { code, output } = await deno([
  "test",
  "--allow-all",
  "--no-check",
  // A tier shows what it measured.
  ...tier === undefined ? ["--reporter=dot", "--quiet"] : [],
  ...files,
]);
const { passed, failed, skipped } = parseTestSummary(output) ??
  { passed: 0, failed: 0, skipped: 0 };
if (skipped > 0) console.log(`${skipped} skipped`);
if (code !== 0) end({ failure: `tests (exit code ${code})`, passed, failed });
if (passed === 0) end({ failure: "tests (none ran)" });
end({ passed, failed });

/** Runs Deno with what it prints shown as it comes. */
async function deno(args: string[]): Promise<{ code: number; output: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    env: { NO_COLOR: "1" },
  }).spawn();
  let output = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += chunk;
    await Deno.stdout.write(new TextEncoder().encode(chunk));
  }
  return { code: (await child.status).code, output };
}

/** Ends the run with the line that counts; with a failure it never says that none failed. */
function end(
  { failure, passed = 0, failed = 0 }: { failure?: string; passed?: number; failed?: number },
): never {
  if (failure !== undefined) console.error(`The checks failed: ${failure}.`);
  const failures = failure === undefined ? failed : Math.max(failed, 1);
  console.log(`${passed} passed, ${failures} failed`);
  Deno.exit(failures === 0 ? 0 : 1);
}
