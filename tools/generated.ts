/**
 * What is written from the code: the JSON Schema of the configuration, and the README's tables. A test
 * holds the committed texts against this; `deno run -A tools/generated.ts` writes them.
 *
 * @module
 */
import { RUN_FLAGS } from "../agent/commands/run_flags.ts";
import { configJsonSchema, configLeaves } from "../agent/config/config_leaves.ts";
import { METRIC_DOCS } from "../agent/metrics/metric_docs.ts";

/** The committed files that are, or hold, generated text. */
export const GENERATED = {
  schema: new URL("../agent/config/config.schema.json", import.meta.url),
  readme: new URL("../README.md", import.meta.url),
};

/** The text of agent/config/config.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** The README with each `<!-- table: NAME -->` … `<!-- end -->` filled in. */
export function withTables(readme: string): string {
  return readme.replace(
    /(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start, name, end) => `${start}\n${tables[name]()}\n${end}`,
  );
}

const tables: Record<string, () => string> = {
  config: () =>
    table(
      ["key", "meaning", "default"],
      configLeaves().map(({ path, description, default: value }) => [
        code(path.join(".")),
        description,
        value === undefined || value === "" ? "" : code(defaultText(value)),
      ]),
    ),
  flags: () =>
    table(
      ["flag", "what it does", "key"],
      RUN_FLAGS.map(({ flags, description, path }) => [
        code(flags),
        description,
        code(path.join(".")),
      ]),
    ),
  metrics: () =>
    table(
      ["metric", "type", "labels", "meaning"],
      METRIC_DOCS.map(({ name, type, labels, help }) => [
        code(name),
        type,
        labels.map(code).join(", "),
        help,
      ]),
    ),
};

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

function code(text: string): string {
  return `\`${text}\``;
}

function defaultText(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value).replaceAll('"', "").replaceAll(",", ", ");
}

if (import.meta.main) {
  await Deno.writeTextFile(GENERATED.schema, schemaText());
  const readme = await Deno.readTextFile(GENERATED.readme);
  await Deno.writeTextFile(GENERATED.readme, withTables(readme));
}
