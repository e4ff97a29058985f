/**
 * What a worker spends on one answer out of the hot cache, and what the main thread spends on taking one
 * in.
 *
 * @module
 */
import type { KeptAnswer } from "../../../agent/cache/answer_cache.ts";
import { localAnswer } from "../../../agent/dns/answer.ts";
import { addressRecord, cnameRecord } from "../../../agent/dns/record.ts";
import { query } from "../../support/dns_messages.ts";
import { BOOT_OFFSET_MS, lookupOf, makeHotCache } from "../../support/hot_cache_fixture.ts";

const TTL = { ttlSeconds: 300 };
const COUNT = 2_000;
const queries = Array.from({ length: COUNT }, (_, i) => query(`host-${i}.example.org`, "A"));
const { cache, hot, reader, heat, keyOf } = makeHotCache({ slots: 4096 });
for (const question of queries) {
  const { name } = question.question;
  const answers = [1, 2, 3].map((last) =>
    addressRecord("edge.cdn.example", Uint8Array.of(192, 0, 2, last), TTL)
  );
  // 100 octets: a CNAME and three addresses.
  heat(
    question,
    localAnswer({ answers: [cnameRecord(name, "edge.cdn.example", TTL), ...answers] }),
  );
}
const lookups = queries.map(lookupOf);
const absent = lookupOf(query("absent.example.org", "A"));
const out = new DataView(new ArrayBuffer(64 * 1024));
reader.nowMs = BOOT_OFFSET_MS + 5_000;
// Steps of a prime visit every name, none of them twice in a row.
let i = 0;
const next = () => i = (i + 791) % COUNT;

Deno.bench("find and copy", { group: "worker", baseline: true }, () => {
  const { name, type, flags, hash } = lookups[next()];
  if (reader.find(name, name.length, type, flags, hash)) reader.copyBody(out, 1_033);
});
Deno.bench("find what is not there", { group: "worker" }, () => {
  reader.find(absent.name, absent.name.length, absent.type, absent.flags, absent.hash);
});

const kept = queries.map((question) => cache.get(keyOf(question), 0)!.kept) as KeptAnswer[];
Deno.bench("promote, in place of another", { group: "main thread" }, () => {
  const entry = kept[next()];
  hot.forget(entry.key);
  hot.promote(entry, 0);
});
Deno.bench(`fold ${COUNT}`, { group: "main thread" }, () => hot.fold(1_000));
