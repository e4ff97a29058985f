import assert from "node:assert/strict";
import { serviceEntry } from "../../test/support/host_entries.ts";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { encodeNameTable } from "../mesh/protocol.ts";
import { type Logger, silentLog } from "../system/log.ts";
import { type RunningWorker, startWorker } from "../system/worker.ts";
import { NameTable } from "./name_table.ts";
import { packSources, SystemTableBuilder } from "./table_builder.ts";
import { Header } from "./table_layout.ts";

const OPTIONS = { clusterDomain: "cluster.local", exclude: [], vipRanges: [], seed: 1 };

const entries = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => serviceEntry(`svc-${i}.ns-${i % 100}`, [`10.${i >> 16}.${i >> 8 & 255}.${i & 255}`]),
  );
const LARGE = encodeNameTable([...entries(10_000), serviceEntry("bad.ns1", [])]);

/** A builder whose workers are counted. */
class BuilderFixture {
  readonly clock = new ManualClock();
  readonly warnings: string[] = [];
  readonly builder: SystemTableBuilder;
  started = 0;
  ended = 0;
  readonly pieces: number[] = [];

  constructor(start = () => startWorker(new URL("./table_builder_worker.ts", import.meta.url))) {
    const log: Logger = { ...silentLog, warn: (message) => void this.warnings.push(message) };
    this.builder = new SystemTableBuilder({
      clock: this.clock,
      log,
      startWorker: () => {
        this.started++;
        const worker = start();
        return {
          request: (message, moved) => {
            const { piece } = message as { piece?: Uint8Array };
            if (piece !== undefined) this.pieces.push(piece.length);
            return worker.request(message, moved);
          },
          close: () => {
            this.ended++;
            worker.close();
          },
        };
      },
    });
  }

  [Symbol.dispose]() {
    this.builder.close();
  }
}

function octetsOf(buffer: SharedArrayBuffer): Uint8Array {
  return new Uint8Array(buffer, 0, new Int32Array(buffer)[Header.OCTETS]);
}

Deno.test("SystemTableBuilder builds large tables in a worker, as they would be built in place", async () => {
  using fixture = new BuilderFixture();
  const { builder } = fixture;
  const sources = { files: [serviceEntry("svc-1.ns-1", ["192.0.2.1"])], pushed: LARGE };
  const packed = await builder.build(sources, OPTIONS);
  const expected = packSources(sources, OPTIONS);
  assert.equal(fixture.started, 1);
  assert.deepEqual(octetsOf(packed.buffer), octetsOf(expected.buffer));
  assert.deepEqual(packed.rejected.map(({ host }) => host), [
    "svc-1.ns-1.svc.cluster.local",
    "bad.ns1.svc.cluster.local",
  ]);
  assert.equal(packed.rejectedTotal, 2);
  assert.equal(
    new NameTable(packed.buffer).exact("svc-1.ns-1.svc.cluster.local")!.addresses[0].join("."),
    "192.0.2.1",
  );

  const again = await builder.build({ pushed: LARGE }, { ...OPTIONS, into: packed.buffer });
  assert.equal(again.buffer, packed.buffer);
  assert.equal(new NameTable(again.buffer).size, 10_000);
  const into = new SharedArrayBuffer(1_000);
  const third = await builder.build({ pushed: LARGE }, { ...OPTIONS, into });
  assert.notEqual(third.buffer, into);
  assert.equal(new NameTable(third.buffer).size, 10_000);
  assert.deepEqual([fixture.started, fixture.warnings.length], [1, 0]);
});

Deno.test("SystemTableBuilder throws for a push that is not readable, and builds on", async () => {
  using fixture = new BuilderFixture();
  const pushed = LARGE.subarray(0, LARGE.length - 1);
  await assert.rejects(fixture.builder.build({ pushed }, OPTIONS), /cut short at octet/);
  const { buffer } = await fixture.builder.build({ pushed: LARGE }, OPTIONS);
  assert.equal(new NameTable(buffer).size, 10_000);
  assert.deepEqual([fixture.started, fixture.ended, fixture.warnings.length], [1, 0, 0]);
});

Deno.test("SystemTableBuilder ends its worker when nothing follows for five seconds", async () => {
  using fixture = new BuilderFixture();
  await fixture.builder.build({ pushed: LARGE }, OPTIONS);
  await fixture.clock.advance(4_000);
  await fixture.builder.build({ pushed: LARGE }, OPTIONS);
  await fixture.clock.advance(4_000);
  assert.deepEqual([fixture.started, fixture.ended], [1, 0]);
  await fixture.clock.advance(1_000);
  assert.deepEqual([fixture.started, fixture.ended, fixture.clock.pendingCount], [1, 1, 0]);
  await fixture.builder.build({ pushed: LARGE }, OPTIONS);
  assert.equal(fixture.started, 2);
});

Deno.test("SystemTableBuilder needs no worker for a small table", async () => {
  using fixture = new BuilderFixture();
  const pushed = encodeNameTable(entries(5_000));
  const { buffer } = await fixture.builder.build({ files: entries(100), pushed }, OPTIONS);
  assert.equal(new NameTable(buffer).size, 5_000);
  assert.deepEqual([fixture.started, fixture.clock.pendingCount], [0, 0]);
});

Deno.test("SystemTableBuilder builds in place, and says so once, without a worker", async (t) => {
  const dead: RunningWorker = {
    request: () => Promise.reject(new Error("the worker died")),
    close: () => {},
  };
  const cases: [string, () => RunningWorker][] = [
    ["one that cannot be started", () => {
      throw new Error("no threads");
    }],
    ["one that dies", () => dead],
    ["one whose program fails", () => startWorker(new URL("data:text/javascript,throw 'at once'"))],
  ];
  for (const [title, start] of cases) {
    await t.step(title, async () => {
      using fixture = new BuilderFixture(start);
      for (const _ of [1, 2]) {
        const { buffer } = await fixture.builder.build({ pushed: LARGE }, OPTIONS);
        assert.equal(new NameTable(buffer).size, 10_000);
      }
      assert.deepEqual([fixture.started, fixture.warnings.length], [2, 1]);
      assert.match(fixture.warnings[0], /^No worker is to be had/);
    });
  }
});

Deno.test("SystemTableBuilder copies no more than 1 MiB of a push at one go", async () => {
  using fixture = new BuilderFixture();
  const pushed = encodeNameTable(entries(100_000));
  const before = pushed.length;
  const { buffer } = await fixture.builder.build({ pushed }, OPTIONS);
  assert.equal(new NameTable(buffer).size, 100_000);
  assert.equal(pushed.length, before, "it stays here, for the next table");
  assert.equal(fixture.pieces.reduce((sum, octets) => sum + octets), before);
  assert.ok(fixture.pieces.every((octets) => octets <= 2 ** 20));
});
