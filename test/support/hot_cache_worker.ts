/**
 * A worker that reads one entry of a hot cache as fast as it can, and tells what it read: each body is one
 * octet again and again, or it is torn.
 *
 * @module
 */
import { HotCacheReader } from "../../agent/cache/hot_cache_reader.ts";

/** What to read. */
export interface TearingTask {
  /** The cache's. */
  memory: SharedArrayBuffer;
  /** See `lookupOf`. */
  lookup: { name: Uint8Array; type: number; flags: number; hash: number };
  /** Milliseconds of CLOCK_BOOTTIME. */
  nowMs: number;
  /** RDATA of the one record. */
  rdataOctets: number;
  /** One word: how many bodies the reader has vouched for; below 0: it is enough. */
  progress: SharedArrayBuffer;
}

/** What it read. */
export interface TearingReport {
  /** Bodies that the reader vouched for. */
  accepted: number;
  /** Of these, such as were never written. */
  torn: number;
  /** Entries that were found and changed while they were copied. */
  refused: number;
}

function read(task: TearingTask): TearingReport {
  const reader = new HotCacheReader(task.memory);
  reader.nowMs = task.nowMs;
  const { name, type, flags, hash } = task.lookup;
  const progress = new Int32Array(task.progress);
  const out = new DataView(new ArrayBuffer(512));
  const report: TearingReport = { accepted: 0, torn: 0, refused: 0 };
  while (Atomics.load(progress, 0) >= 0) {
    if (!reader.find(name, name.length, type, flags, hash)) continue;
    if (!reader.copyBody(out, 0)) {
      report.refused++;
      continue;
    }
    report.accepted++;
    Atomics.add(progress, 0, 1);
    const end = reader.bodyOctets;
    const from = end - task.rdataOctets;
    for (let i = from; i < end; i++) {
      if (out.getUint8(i) === out.getUint8(from)) continue;
      report.torn++;
      break;
    }
  }
  return report;
}

/** What of a worker's scope is used here. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<TearingTask>) => void;
  postMessage(message: TearingReport): void;
};

scope.onmessage = ({ data }) => scope.postMessage(read(data));
