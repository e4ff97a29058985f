import assert from "node:assert/strict";
import { bothPaths, isSlowAnswer, VIEW } from "../../test/support/both_paths.ts";
import { queryMessage } from "../../test/support/dns_messages.ts";
import { generateQuestions, generateTable } from "../../test/support/generated_table.ts";
import { externalEntry, serviceEntry } from "../../test/support/host_entries.ts";
import { type Answer, localAnswer } from "../dns/answer.ts";
import { Rcode } from "../dns/codes.ts";
import { decodeQuery, type Query } from "../dns/query.ts";
import { addressRecord, cnameRecord, soaRecord } from "../dns/record.ts";
import { packTable } from "../names/pack_table.ts";
import { TableReader } from "../names/table_reader.ts";
import { FastAnswerer } from "./fast_answer.ts";
import { fastView } from "./fast_view.ts";

const EDNS = [
  undefined,
  { udpPayloadSize: 512 },
  { udpPayloadSize: 1232 },
  { udpPayloadSize: 4096, dnssecOk: true },
  { udpPayloadSize: 65_535 },
];

for (const serveAutoAllocated of [false, true]) {
  for (const searchDomains of [VIEW.searchDomains, ["corp.example", "svc.cluster.local"], []]) {
    const title = `FastAnswerer gives the slow path's octets, ${searchDomains.length} search ` +
      `domains, automatic VIPs ${serveAutoAllocated ? "served" : "forwarded"}`;
    Deno.test(title, () => {
      const entries = [
        ...generateTable(searchDomains.length + 1, 250),
        externalEntry("vip.example.com", ["240.240.0.1", "2001:2::1"]),
        externalEntry("mixed.example.com", ["240.240.0.2", "192.0.2.7"]),
        externalEntry("ns.example.com", ["192.0.2.8"]),
        externalEntry("*.wild.example.net", ["192.0.2.11"], { altHosts: ["wild.alias.example"] }),
        externalEntry("x.ns.cluster.local", ["192.0.2.9"]),
        externalEntry("hostmaster.example.com", ["192.0.2.10"]),
        serviceEntry("many.vm", Array.from({ length: 250 }, (_, i) => `10.9.0.${i + 1}`)),
      ];
      const view = { ...VIEW, searchDomains, serveAutoAllocated };
      const { slow, fast } = bothPaths(entries, view);
      const questions = generateQuestions(entries, {
        seed: 3,
        search: searchDomains.length > 0 ? searchDomains : ["nowhere.example"],
      });
      let answered = 0;
      let left = 0;
      questions.forEach(({ name, type }, i) => {
        const id = i & 0xffff;
        const flags = [0x0100, 0x0000, 0x0110, 0x0120][i & 3];
        const message = queryMessage(name, type, { id, flags, edns: EDNS[i % EDNS.length] });
        const answer = fast(message);
        if (answer === undefined) {
          // What the mesh answers with addresses is never left to the slow path but for its size.
          if (type === "A" && isAddressAnswer(slow(message))) left++;
          return;
        }
        answered++;
        assert.ok(isSlowAnswer(slow, message, answer), `${name} ${type} ${EDNS[i % EDNS.length]}`);
      });
      assert.ok(answered > questions.length / 4, `${answered} of ${questions.length}`);
      assert.ok(left < answered / 50, `${left} address answers were left to the slow path`);
    });
  }
}

const TTL = { ttlSeconds: 300 };
const soa = soaRecord("example.org", { ttlSeconds: 60 });
const address = (name: string, last = 1) =>
  addressRecord(name, Uint8Array.of(192, 0, 2, last), TTL);
/** What upstream servers say, by name and type. */
const CACHED: Record<string, Partial<Answer>> = {
  "www.example.org A": { answers: [address("www.example.org"), address("www.example.org", 2)] },
  "www.example.org AAAA": { authority: [soa] },
  "none.example.org A": { rcode: Rcode.NXDOMAIN, authority: [soa] },
  "alias.example.org A": {
    answers: [cnameRecord("alias.example.org", "www.example.org", TTL), address("www.example.org")],
  },
  "validated.example.org A": { authenticated: true, answers: [address("validated.example.org")] },
  "own.example.org A": { authoritative: true, answers: [address("own.example.org")] },
  "into-the-mesh.example.org A": {
    answers: [cnameRecord("into-the-mesh.example.org", "api.example.com", TTL)],
  },
  ". TXT": { authority: [soaRecord("", { ttlSeconds: 60 })] },
};
/** How the same question may be asked: flags of octets 2 and 3, EDNS. */
const WAYS: [number, { udpPayloadSize: number; dnssecOk?: boolean } | undefined][] = [
  [0x0100, undefined],
  [0x0120, { udpPayloadSize: 1232 }],
  [0x0110, { udpPayloadSize: 512 }],
  [0x0000, { udpPayloadSize: 4096, dnssecOk: true }],
];

Deno.test("FastAnswerer gives the slow path's octets of cached answers, as they age", async (t) => {
  const entries = [externalEntry("api.example.com", ["192.0.2.50"])];
  for (const [question, parts] of Object.entries(CACHED)) {
    await t.step(question, async () => {
      const { slow, fast, keep, clock } = bothPaths(entries);
      const [name, type] = question.split(" ");
      for (const [flags, edns] of WAYS) {
        // A Buffer's slice() would be no copy.
        const message = new Uint8Array(queryMessage(name.toUpperCase(), type, { flags, edns }));
        const { query } = decodeQuery(message) as { query: Query };
        const request = {
          question: query.question,
          dnssecOk: edns?.dnssecOk ?? false,
          checkingDisabled: query.checkingDisabled,
        };
        keep(request, { ...localAnswer({ authoritative: false }), ...parts });
        assert.equal(fast(message), undefined, "not asked for again yet");
        const meshCompletes = name.startsWith("into-the-mesh");
        for (const afterMs of [0, 999, 1, 30_000, 20_000]) {
          await clock.advance(afterMs);
          const wanted = slow(message);
          assert.deepEqual(
            fast(message),
            meshCompletes ? undefined : wanted,
            `${flags} ${afterMs}`,
          );
        }
      }
      await clock.advance(300_000);
      const message = queryMessage(name, type);
      assert.equal(fast(message), undefined, "ended");
    });
  }
});

/** Whether an answer is a NOERROR one with records. */
function isAddressAnswer(answer: Uint8Array | undefined): boolean {
  return answer !== undefined && (answer[3] & 0xf) === 0 && answer[7] > 0;
}

// A Buffer's slice() would be no copy.
const PLAIN = new Uint8Array(
  queryMessage("a.vm.svc.cluster.local", "A", { edns: { udpPayloadSize: 1232 } }),
);

/** A copy of the plain query with other octets at an offset. */
function changed(at: number, ...octets: number[]): Uint8Array {
  const message = PLAIN.slice();
  message.set(octets, at < 0 ? message.length + at : at);
  return message;
}

const UNUSUAL: Record<string, Uint8Array> = {
  "an empty message": new Uint8Array(0),
  "a header alone": PLAIN.slice(0, 12),
  "a message cut in its name": PLAIN.slice(0, 20),
  "a message cut in its question": PLAIN.slice(0, 38),
  "a message cut in OPT": PLAIN.slice(0, -3),
  "a response": changed(2, 0x81),
  "another opcode": changed(2, 0x29),
  "no question": changed(4, 0, 0),
  "two questions": changed(4, 0, 2),
  "an answer record": changed(6, 0, 1),
  "an authority record": changed(8, 0, 1),
  "two additional records": changed(10, 0, 2),
  "a compressed name": changed(12, 0xc0, 0x0c),
  "a label type of no meaning": changed(12, 0x41),
  "class CH": changed(-12, 3),
  "EDNS version 1": changed(-5, 1),
  "an OPT record that is not the root's": changed(-11, 1),
  "an additional record that is not OPT": changed(-9, 1),
  "options that are not there": changed(-1, 4),
  "an answer that is too large for the client": queryMessage("many.vm.svc.cluster.local", "A"),
  "a name that nobody knows": queryMessage("www.example.org", "A"),
  "a type of no address": queryMessage("a.vm.svc.cluster.local", "TXT"),
};

for (const [title, message] of Object.entries(UNUSUAL)) {
  Deno.test(`FastAnswerer.answer() leaves ${title} to the slow path`, () => {
    const { fast } = bothPaths([
      serviceEntry("a.vm", ["10.0.0.1"]),
      serviceEntry("many.vm", Array.from({ length: 200 }, (_, i) => `10.9.0.${i + 1}`)),
    ]);
    assert.notEqual(fast(PLAIN), undefined);
    assert.equal(fast(message), undefined);
  });
}

Deno.test("FastAnswerer.answer() rotates addresses", () => {
  const { fast } = bothPaths([serviceEntry("a.vm", ["10.0.0.1", "10.0.0.2", "10.0.0.3"])]);
  const first = new Set(Array.from({ length: 100 }, () => fast(PLAIN)!.at(-1 - 11 - 2 * 16)));
  assert.deepEqual([...first].sort(), [1, 2, 3]);
});

Deno.test("FastAnswerer.refuse() says SERVFAIL to a usual query and nothing else", () => {
  const { slow } = bothPaths([]);
  assert.notEqual(slow(PLAIN), undefined);
  const table = new TableReader(
    packTable([], {
      clusterDomain: VIEW.clusterDomain,
      exclude: [],
      vipRanges: [],
      seed: 1,
    }).buffer,
  );
  const answerer = new FastAnswerer({ table, view: fastView(VIEW), cache: undefined }, 1);
  const packets = new Uint8Array(512);
  packets.set(PLAIN);
  assert.equal(answerer.refuse(packets, 0, PLAIN.length), PLAIN.length);
  assert.deepEqual([...packets.subarray(2, 12)], [0x81, 0x82, 0, 1, 0, 0, 0, 0, 0, 1]);
  const response = changed(2, 0x81);
  packets.set(response);
  assert.equal(answerer.refuse(packets, 0, response.length), 0);
});
