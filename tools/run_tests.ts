/**
 * `deno task test` and `deno task ok`: each step of the checks in turn, with a heading; the first that
 * fails ends the run. The last line counts the tests: `N passed, N failed`.
 *
 * usage: run_tests.ts [--unit]     --unit: only the tests beside the code
 *
 * @module
 */
import { FOLDERS, typescriptFiles } from "./project_files.ts";

interface Step {
  title: string;
  args: string[];
}

const unitOnly = Deno.args.includes("--unit");
const product = await typescriptFiles(FOLDERS.product);
const all = [...product, ...await typescriptFiles(FOLDERS.support)];

const steps: Step[] = [
  { title: "format", args: ["fmt", "--check", "--quiet"] },
  { title: "lint", args: ["lint", "--quiet"] },
  { title: "types", args: ["check", "--quiet", ...all] },
  {
    title: "documentation",
    args: ["run", "--allow-all", "--quiet", "tools/lint_documentation.ts"],
  },
];
for (const { title, args } of steps) {
  console.log(`== ${title}`);
  await step(args);
}
console.log(`== tests${unitOnly ? " beside the code" : ""}`);
const output = await step([
  "test",
  "--allow-all",
  "--no-check",
  "--reporter=dot",
  "--quiet",
  ...(unitOnly ? FOLDERS.product : [...FOLDERS.product, ...FOLDERS.support])
    .filter((folder) =>
      all.some((path) => path.startsWith(`${folder}/`) && path.endsWith("_test.ts"))
    ),
]);
const summary = /\b(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?:[^|]*\| (\d+) ignored)?/
  .exec(output);
if (summary === null || summary[1] === "0") fail("no test ran");
const [, passed, failed, ignored = "0"] = summary!;
console.log(`${passed} passed, ${failed} failed${ignored === "0" ? "" : `, ${ignored} skipped`}`);

/** Runs Deno with what it prints shown as it comes; ends the run when it fails. */
async function step(args: string[]): Promise<string> {
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
  const { code } = await child.status;
  if (code !== 0) fail(`deno ${args[0]} failed with exit code ${code}`);
  return output;
}

function fail(why: string): never {
  console.error(`The checks failed: ${why}.`);
  const counts = /(\d+) passed[^|]*\| (\d+) failed/.exec(why);
  if (counts !== null) console.log(`${counts[1]} passed, ${counts[2]} failed`);
  Deno.exit(1);
}
