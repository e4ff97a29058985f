/**
 * A push of a whole table while clients ask: what is lost, how long an answer takes meanwhile, and when
 * the new table is in force.
 *
 * @module
 */
import { join } from "node:path";
import { FakeControlPlane } from "../support/fake_control_plane.ts";
import { askOnce } from "./ask_once.ts";
import { meshHosts, queryLines } from "./bench_names.ts";
import { whyVoid } from "./client_output.ts";
import { MeasuredServer } from "./measured_server.ts";
import { type Effort, siteOf } from "./measure_workload.ts";
import { OUTRIGGER } from "./peers/outrigger.ts";
import type { Peer } from "./peers/peer.ts";
import { type Round, rowOf, type WorkloadResult } from "./results.ts";

const HOSTS = 100_000;
/** Queries a second meanwhile. */
const RATE = 50_000;
/** How long the load goes on; the push comes after half a second. */
const SECONDS = 3;
const PUSH_AFTER_MS = 500;

/** Measures outrigger alone: no other server has a table that is pushed to it. */
export async function measurePush(
  peers: readonly Peer[],
  effort: Effort,
): Promise<WorkloadResult> {
  const rounds: Round[] = [];
  await using stack = new AsyncDisposableStack();
  if (peers.includes(OUTRIGGER)) {
    const site = await siteOf(HOSTS, {
      peer: OUTRIGGER,
      index: 0,
      folder: effort.folder,
      stack,
    });
    const server = stack.use(await MeasuredServer.start(OUTRIGGER, site));
    const queries = join(site.folder, "queries");
    const options = { hosts: site.hosts, tag: "push", count: 0, seed: 1 };
    await Deno.writeTextFile(queries, queryLines({ mesh: 1 }, options).join("\n") + "\n");
    for (let round = 1; round <= effort.rounds; round++) {
      const added = { ...meshHosts(1)[0], host: `pushed-${round}.ns-00.svc.cluster.local` };
      const push = FakeControlPlane.table([...site.hosts, added], `${round + 1}`);
      const load = server.run({
        program: "latency_probe",
        queries,
        rate: RATE,
        seconds: SECONDS,
      });
      await new Promise((resolve) => setTimeout(resolve, PUSH_AFTER_MS));
      const pushedMs = performance.now();
      site.controlPlane.send(push);
      const applied = askOnce({
        ...site,
        name: added.host,
        everyMs: 10,
        timeoutMs: 30_000,
        accept: ({ records }) => records === 1,
      }).then(() => performance.now() - pushedMs);
      const [measured, appliedMs] = [await load, await applied];
      const { output, cpuUs } = measured;
      rounds.push({
        metrics: {
          cpuUs,
          appliedMs,
          lost: output.sent - output.answered,
          p50Us: output.p50Us!,
          p999Us: output.p999Us!,
          maxUs: output.maxUs!,
          residentBytes: await server.residentBytes(),
        },
        voids: whyVoid(output, { ...measured, expected: { records: 1 } }),
      });
      effort.log(`push ${round}/${effort.rounds} ${JSON.stringify(rounds.at(-1))}`);
    }
  }
  return {
    name: "push",
    title: "a push of 100,000 names while 50,000 queries a second are asked",
    note: "The control plane is on the client's core; what builds the table shares the server's.",
    rows: rounds.length === 0 ? [] : [rowOf(OUTRIGGER.name, rounds)],
  };
}
