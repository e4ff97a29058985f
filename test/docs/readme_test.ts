import assert from "node:assert/strict";
import { runProgram } from "../../agent/commands/program.ts";
import { configLeaves } from "../../agent/config/config_leaves.ts";
import { loadConfig } from "../../agent/config/load_config.ts";
import { SUMS_FILE } from "../../agent/downloads.ts";
import type { FileFacts } from "../../agent/system/files.ts";
import { makePrograms, PROGRAMS, writeDocuments } from "../../tools/dist.ts";
import { GENERATED, schemaText, withTables } from "../../tools/generated.ts";
import { packageNames } from "../../tools/linux_packages.ts";
import { typescriptFiles } from "../../tools/project_files.ts";
import { RANKS } from "../lint/ranks.ts";
import { commandContext } from "../support/command_context.ts";
import { allCommands, README as readme } from "../support/readme_commands.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const root = new URL("../../", import.meta.url);
const architecture = await Deno.readTextFile(GENERATED.architecture);
const tasks: Record<string, unknown> =
  JSON.parse(await Deno.readTextFile(new URL("deno.json", root))).tasks;

const commands = allCommands();

/** What else they may call. */
const OTHER_COMMAND =
  /^(dig|kubectl|istioctl|apt|sh install\.sh|\(cd dist && sha256sum|(dist\/)?outrigger) /;

/** A table without the padding that the formatter gives it. */
const unpadded = (text: string) => text.replaceAll(/ +\|/g, " |").replaceAll(/-{3,}/g, "---");

/** What a subcommand's `--help` prints. */
async function helpOf(subcommand: string[]): Promise<string> {
  const { context, output } = commandContext();
  await runProgram([...subcommand, "--help"], context);
  return output();
}

Deno.test("generated tables and the JSON Schema are what the code says (deno run -A tools/generated.ts)", async () => {
  assert.equal(unpadded(readme), unpadded(withTables(readme)));
  assert.equal((readme.match(/<!-- table: /g) ?? []).length, 7);
  assert.equal(unpadded(architecture), unpadded(withTables(architecture)));
  assert.match(architecture, /<!-- table: istio_differences -->/);
  assert.match(architecture, /<!-- table: unbound_differences -->/);
  const bench = await Deno.readTextFile(GENERATED.bench);
  assert.equal(unpadded(bench), unpadded(withTables(bench)));
  assert.match(bench, /<!-- table: bench_targets -->/);
  assert.equal(await Deno.readTextFile(GENERATED.schema), schemaText());
});

Deno.test("README names the two commands, and every task in it exists", () => {
  assert.ok(commands.includes("npx -y deno@2.9.4 task demo"));
  assert.ok(commands.includes("npx -y deno@2.9.4 task test"));
  for (const command of commands) {
    const task = /^npx -y deno@2\.9\.4 task (\S+)/.exec(command)?.[1];
    if (task !== undefined) assert.ok(task in tasks, command);
    else assert.match(command, OTHER_COMMAND);
  }
});

Deno.test("each block of the README that is marked as tested is used by a test", async () => {
  const files = await typescriptFiles(["test"]);
  const tests = (await Promise.all(files.map((path) => Deno.readTextFile(path)))).join("\n");
  for (const [mark, name] of readme.matchAll(/<!-- test: ([\w-]+) -->/g)) {
    assert.ok(tests.includes(mark) || tests.includes(`("${name}")`), name);
  }
});

Deno.test("README's commands take the flags that it gives them", async () => {
  const lines = commands.flatMap((command) =>
    /(?:task (?:outrigger )?|outrigger )((?:run|demo|control-plane|install|uninstall|upgrade|capture) .*)/
      .exec(command)?.[1] ?? []
  );
  assert.ok(lines.length >= 8);
  for (const line of lines) {
    const words = line.split(" ");
    const flags = words.findIndex((word) => word.startsWith("--"));
    const subcommand = flags === -1 ? words : words.slice(0, flags);
    const help = await helpOf(subcommand);
    for (const flag of words.filter((word) => word.startsWith("--"))) {
      assert.ok(help.includes(flag), `${line}: ${flag}`);
    }
  }
  const script = await Deno.readTextFile(new URL("distribution/install.sh", root));
  for (const line of commands.filter((command) => command.startsWith("sh install.sh "))) {
    for (const [flag] of line.matchAll(/--[\w-]+/g)) assert.ok(script.includes(`  ${flag} `), line);
  }
});

Deno.test("README lists the files that deno task dist makes", async () => {
  await using folder = await TemporaryDirectory.make();
  const { names } = await makePrograms(folder.path, {
    build: () => Promise.resolve("deno"),
    pack: () => Promise.resolve(),
    print: assert.fail,
  });
  const packages = Object.keys(PROGRAMS)
    .flatMap((target) => Object.values(packageNames({ target, version: "VERSION" })));
  const [, table] = /<!-- test: dist_files -->([\s\S]*?)<!-- end -->/.exec(readme)!;
  const cells = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) => cell.split(", "));
  assert.deepEqual(
    cells.map((cell) => cell.trim().slice(1, -1)).sort(),
    [...names, ...packages, ...await writeDocuments(folder.path), SUMS_FILE].sort(),
  );
});

Deno.test("README's example of a configuration is one", async () => {
  const [, text] = /<!-- test: config -->\s*```yaml\n([\s\S]*?)```/.exec(readme)!;
  const files = {
    readText: (path: string) =>
      path === "config.yaml" ? Promise.resolve(text) : Promise.resolve("ISTIO_NAMESPACE=vm\n"),
    stat: (path: string) =>
      Promise.resolve(path.endsWith("cluster.env") ? {} as FileFacts : undefined),
  };
  const { dns, node } = await loadConfig({
    file: "config.yaml",
    environment: {},
    flags: [],
    hostname: "vm-1",
    files,
  });
  assert.deepEqual(dns.forward, [
    { domain: "corp.example", servers: ["192.0.2.54", "192.0.2.55"] },
  ]);
  assert.equal(node.namespace, "vm");
});

Deno.test("README's ports are those listened on unless told otherwise", async () => {
  const [, section] = /\n## Ports\n([\s\S]*?)\n## /.exec(readme)!;
  const ports = [...section.matchAll(/^\| `(\d+)`/gm)].map(([, port]) => port);
  const controlPlaneHelp = await helpOf(["control-plane"]);
  const addresses = [
    ...configLeaves().filter(({ path }) => path.at(-1) === "listen")
      .flatMap(({ default: value }) => value as string | string[]),
    ...[/--grpc-listen[\s\S]*?default:\s+"([^"]+)"/, /--https-listen[\s\S]*?default:\s+"([^"]+)"/]
      .map((pattern) => pattern.exec(controlPlaneHelp)![1]),
  ];
  assert.deepEqual(ports.sort(), addresses.map((address) => address.split(":").at(-1)!).sort());
});

Deno.test("each task says what it does", () => {
  for (const [name, task] of Object.entries(tasks)) {
    assert.ok((task as { description?: string }).description, name);
  }
});

Deno.test("ARCHITECTURE's ranks are those of the lint rule", () => {
  const [, table] = /<!-- table: ranks -->([\s\S]*?)<!-- end -->/.exec(architecture)!;
  const rows = [...table.matchAll(/^\| *(\d+) *\| *`([^`]+)`/gm)]
    .map(([, rank, path]) => [path, Number(rank)]);
  assert.deepEqual(Object.fromEntries(rows), RANKS);
});

Deno.test("ARCHITECTURE gives a reason for every library", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  for (const name of Object.keys(imports)) {
    // A name that ends in a slash stands for the modules of the library before it.
    if (!name.startsWith("@types/") && !name.endsWith("/")) {
      assert.ok(architecture.includes(`\`${name}\``), name);
    }
  }
});
