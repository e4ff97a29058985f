/**
 * What is written from the code: the JSON Schema of the configuration, and tables of README and
 * ARCHITECTURE. A test holds the committed texts against this; `deno run -A tools/generated.ts` writes them.
 *
 * @module
 */
import { RUN_FLAGS } from "../agent/commands/run_flags.ts";
import { configJsonSchema, configLeaves } from "../agent/config/config_leaves.ts";
import { METRIC_DOCS } from "../agent/metrics/metric_docs.ts";
import { CAPTURE_DOCS } from "../installer/capture/capture_docs.ts";
import { joinLine } from "../control_plane/join_point.ts";
import { CONFIG_FOLDER, planInstall } from "../installer/install_plan.ts";
import type { Plan } from "../installer/plan.ts";
import type { Step } from "../installer/steps.ts";
import { containerSockets } from "../systemd/container_sockets.ts";
import { type Layout, OWN_LAYOUT, PACKAGE_LAYOUT } from "../systemd/layout.ts";
import { ENABLED_UNITS, PORT_53_UNIT, UNITS, unitsOf } from "../systemd/units.ts";
import latest from "../test/bench/results/latest.json" with { type: "json" };
import { readmeRows, targetRows } from "../test/bench/readme_table.ts";
import type { BenchResult } from "../test/bench/results.ts";
import { DIFFERENCES as UNBOUND_DIFFERENCES } from "../test/differential/differences.ts";
import { DIFFERENCES as ISTIO_DIFFERENCES } from "../test/mesh/differences.ts";

/** The run of the benchmark that the documents show. */
const BENCH_RESULT = latest as BenchResult;

/** The committed files that are, or hold, generated text. */
export const GENERATED = {
  schema: new URL("../agent/config/config.schema.json", import.meta.url),
  readme: new URL("../README.md", import.meta.url),
  architecture: new URL("../ARCHITECTURE.md", import.meta.url),
  bench: new URL("../test/bench/README.md", import.meta.url),
};

/** The text of agent/config/config.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** A text with each `<!-- table: NAME -->` … `<!-- end -->` filled in whose table is known here. */
export function withTables(text: string): string {
  return text.replace(
    /(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (all, start, name, end) => name in tables ? `${start}\n${tables[name]()}\n${end}` : all,
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
  changes: () =>
    table(
      ["what", "with a package", "why", "on the way back"],
      installPlan(OWN_LAYOUT).steps.filter(changesSomething).map((step) => [
        changeOf(step),
        packagedOf(step),
        step.why,
        step.onlyPurge ? "removed with `--purge`" : undoOf(step),
      ]),
    ),
  captures: () =>
    table(
      ["`capture.mode`", "where", "what is put there", "until"],
      CAPTURE_DOCS.map(({ mode, where, what, until }) => [code(mode), where, what, until]),
    ),
  join_line: () => `\`\`\`text\n${exampleJoinLine()}\n\`\`\`\n`,
  istio_differences: () => differences(ISTIO_DIFFERENCES),
  unbound_differences: () => differences(UNBOUND_DIFFERENCES),
  bench: () => {
    const { head, rows } = readmeRows(BENCH_RESULT);
    return table(head, rows);
  },
  bench_targets: () => table(["target", "measured", "verdict"], targetRows(BENCH_RESULT)),
};

/** What a machine joins by, with the sums and the token left out. */
function exampleJoinLine(): string {
  const sum = "0".repeat(64);
  const line = joinLine({
    url: "https://cp.example.org:15443",
    grpcAddress: "cp.example.org:15012",
    scriptSha256: sum,
    caSha256: sum,
    sumsSha256: sum,
    trustDomain: "cluster.local",
    clusterDomain: "cluster.local",
  }, { token: "ort_…", workload: { namespace: "vm", serviceAccount: "vm-sa" } });
  return line.trim().replaceAll(sum, "…");
}

/** A plan for any VM: of its capture only what all have in common. */
function installPlan(layout: Layout): Plan {
  const facts = { systemdVersion: 257, isRoot: true, etcReadOnly: false, layout, listeners: [] };
  return planInstall(facts, {
    program: layout.isPackage ? undefined : "outrigger",
    configFiles: [{ path: `${CONFIG_FOLDER}/config.yaml`, text: "" }],
    units: unitsOf(layout),
    port53Unit: PORT_53_UNIT,
    containersUnit: containerSockets(["192.0.2.1:15053"]),
    enabledUnits: ENABLED_UNITS,
    capture: "auto",
    port: 15053,
  });
}

/** Folders of the system are there; what is run without an inverse leaves nothing. */
function changesSomething(step: Step): boolean {
  if (step.kind === "make directory") return step.path === CONFIG_FOLDER;
  if (step.kind === "run") return step.up !== undefined && step.down !== undefined;
  return step.kind === "write file" || step.kind === "copy file" || step.kind === "own tree";
}

function changeOf(step: Step): string {
  return code(subjectOf(step)!);
}

/** What a step is about; undefined where it changes nothing. */
function subjectOf(step: Step): string | undefined {
  return step.kind === "run"
    ? step.up?.command.slice(0, 2).join(" ")
    : "path" in step
    ? step.path
    : undefined;
}

/** What is the same, and what another, where a package brings what a step would put there. */
function packagedOf(step: Step): string {
  const same = installPlan(PACKAGE_LAYOUT).steps
    .find((other) => subjectOf(other) === subjectOf(step));
  if (same !== undefined) {
    return same.onlyPurge && !step.onlyPurge ? "the same, until a purge" : "the same";
  }
  if (step.kind === "run") return "by the package itself, until a purge";
  const packaged = new Map([
    [OWN_LAYOUT.program, PACKAGE_LAYOUT.program],
    [OWN_LAYOUT.release, PACKAGE_LAYOUT.release],
    ...UNITS.map(({ path }, i) => [path, unitsOf(PACKAGE_LAYOUT)[i].path] as const),
  ]);
  return code(packaged.get((step as { path: string }).path)!);
}

function undoOf(step: Step): string {
  if (step.kind === "run") return code(step.down!.command.slice(0, 2).join(" "));
  if (step.kind === "make directory") return "removed where it is empty";
  if (step.kind === "own tree") return "removed";
  return "removed, or what was there before put back";
}

function differences(list: readonly { what: string; why: string }[]): string {
  return table(["difference", "why"], list.map(({ what, why }) => [what, why]));
}

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
  for (const document of [GENERATED.readme, GENERATED.architecture, GENERATED.bench]) {
    await Deno.writeTextFile(document, withTables(await Deno.readTextFile(document)));
  }
}
