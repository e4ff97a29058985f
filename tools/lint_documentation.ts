/**
 * `deno doc --lint` over the product: every export is documented. Two kinds of its complaints are no
 * faults here and are passed over: types of npm packages, which it calls private, and types that zod
 * infers from a schema, which cannot be written out without writing them twice.
 *
 * @module
 */
import { FOLDERS, typescriptFiles } from "./project_files.ts";

/** Exports whose type is inferred on purpose. */
const INFERRED = new Set(["agent/config/config.ts"]);

const files = (await typescriptFiles(FOLDERS.product)).filter((path) => !path.endsWith("_test.ts"));
const { stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", ...files],
  stdout: "null",
  env: { NO_COLOR: "1" },
}).output();

const complaints = new TextDecoder().decode(stderr).split(/^(?=error)/m)
  .filter((block) => block.startsWith("error["));
const faults: string[] = [];
for (const complaint of complaints) {
  const [, rule, message] = /^error\[([^\]]+)\]: (.*)/.exec(complaint)!;
  // Whatever the folders above the checkout are called.
  const place = complaint.replaceAll(`${Deno.cwd()}/`, "");
  const [, path] = /--> (\S+?):\d+/.exec(place) ?? [];
  if (path !== undefined && await isAccepted(rule, message, path)) continue;
  faults.push(complaint.trimEnd());
}
if (faults.length > 0) {
  console.error(faults.join("\n\n"));
  Deno.exit(1);
}
if (complaints.length === 0 && !new TextDecoder().decode(stderr).includes("Checked")) {
  console.error(`deno doc --lint said nothing of ${files.length} files`);
  Deno.exit(1);
}

async function isAccepted(rule: string, message: string, path: string): Promise<boolean> {
  if (INFERRED.has(path)) return rule === "missing-explicit-type" || rule === "private-type-ref";
  if (rule !== "private-type-ref") return false;
  const [, type] = /references private type '([^']+)'/.exec(message)!;
  const declaration = new RegExp(
    `^(export )?(interface|type|class|const|enum|function) ${escape(type)}\\b`,
    "m",
  );
  return !declaration.test(await Deno.readTextFile(path));
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
