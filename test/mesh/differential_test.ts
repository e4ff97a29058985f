import assert from "node:assert/strict";
import { encodeNameTable } from "../../agent/mesh/protocol.ts";
import { SavedTable } from "../../agent/mesh/saved_table.ts";
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { systemFiles } from "../../agent/system/files.ts";
import { systemWorld } from "../../agent/system/world.ts";
import { realParts } from "../parts/real_parts.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { freePorts } from "../support/child_process.ts";
import { type Difference, DIFFERENCES, formsOf } from "./differences.ts";
import { generateQuestions, generateTable } from "../support/generated_table.ts";
import { withResolvConf } from "../support/glibc_client.ts";
import { askAll, IstioDnsServer, MarkedUpstream } from "./referee.ts";

const UPSTREAM = "127.77.0.55";
const MESH_SEARCH = ["vm.svc.cluster.local", "svc.cluster.local", "cluster.local"];
const OWN_SEARCH = ["corp.example", "lab.corp.example"];

Deno.test("outrigger answers as Istio's own DNS server does, but for what is listed", async (t) => {
  const entries = generateTable(20261124, 2_000);
  const explained = new Map<Difference, number>();
  await using _upstream = await MarkedUpstream.start(UPSTREAM);
  const orders = [[...MESH_SEARCH, ...OWN_SEARCH], [...OWN_SEARCH, ...MESH_SEARCH]];
  for (const [index, search] of orders.entries()) {
    await t.step(`search ${search.join(" ")}`, async () => {
      // Of all that can be asked, every fourth: each host is asked for in several ways.
      const questions = generateQuestions(entries, { seed: index, search })
        .filter((_, i) => i % 4 === index);
      const { istio, outrigger } = await answersOfBoth(entries, search, questions);
      const forms = formsOf(entries);
      const unexplained: string[] = [];
      let same = 0;
      for (const [i, { name, type }] of questions.entries()) {
        if (JSON.stringify(istio[i]) === JSON.stringify(outrigger[i])) {
          same++;
          continue;
        }
        const difference = DIFFERENCES.find(({ explains }) =>
          explains({
            question: { name: name.toLowerCase(), type },
            istio: istio[i],
            outrigger: outrigger[i],
            search,
            ...forms,
          })
        );
        if (difference === undefined) {
          const both = { istio: istio[i], outrigger: outrigger[i] };
          unexplained.push(`${name} ${type}: ${JSON.stringify(both)}`);
        } else explained.set(difference, (explained.get(difference) ?? 0) + 1);
      }
      console.log(`${questions.length} questions about ${entries.length} hosts, ${same} the same`);
      assert.deepEqual(unexplained.slice(0, 10), [], `${unexplained.length} not explained`);
      assert.ok(entries.length > 2_000 && questions.length > 10_000);
      assert.ok(same > questions.length / 3);
    });
  }
  for (const difference of DIFFERENCES) {
    const count = explained.get(difference) ?? 0;
    console.log(`${String(count).padStart(6)}  ${difference.what}`);
    assert.ok(count > 0, `no such difference was seen any more: ${difference.what}`);
  }
});

async function answersOfBoth(
  entries: readonly HostEntry[],
  search: readonly string[],
  questions: ReturnType<typeof generateQuestions>,
) {
  await using directory = await TemporaryDirectory.make();
  const folder = directory.path;
  const bytes = encodeNameTable(entries);
  const [port] = await freePorts(1);
  const { "istio-dns-server": program } = await realParts(["istio-dns-server"]);
  await using _referee = await IstioDnsServer.start({
    command: [...await withResolvConf(folder, { nameserver: UPSTREAM, search }), program],
    port,
    namespace: "vm",
    table: await directory.write("table.bin", new Uint8Array(bytes)),
  });
  const { clock } = systemWorld();
  const saved = new SavedTable({ stateDir: `${folder}/agent/state`, files: systemFiles, clock });
  saved.save({ bytes, version: "1", receivedAtMs: Date.now() });
  await saved.flush();
  await using agent = await AgentProcess.start({
    folder: `${folder}/agent`,
    args: [
      ...["--config", await directory.write("config.yaml", "node: { namespace: vm }\n")],
      ...["--control-plane", "127.0.0.1:9", "--upstream", UPSTREAM, "--auto-allocated", "serve"],
      ...search.flatMap((domain) => ["--search", domain]),
    ],
  });
  const istio = await askAll(port, questions);
  const outrigger = await askAll(agent.ports.dns, questions);
  return { istio, outrigger };
}
