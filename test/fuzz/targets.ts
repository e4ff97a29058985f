/**
 * What is fuzzed: everything that reads octets which somebody else wrote. Each target holds the code to
 * its contract, and not only to not throwing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { AnswerCache } from "../../agent/cache/answer_cache.ts";
import { lifetimeOf } from "../../agent/cache/answer_ttl.ts";
import { parseConfigText } from "../../agent/config/config_text.ts";
import { parseShellVariables } from "../../agent/config/shell_variables.ts";
import { type Answer, failureAnswer } from "../../agent/dns/answer.ts";
import { encodeAnswer, TCP_OCTETS_MAX, udpAnswerLimit } from "../../agent/dns/encode_answer.ts";
import { parseAddress, parseRange, parseReverseName } from "../../agent/dns/ip_address.ts";
import { decodeName, encodeName, parseName } from "../../agent/dns/name.ts";
import { decodeQuery } from "../../agent/dns/query.ts";
import { compressibleNames } from "../../agent/dns/rdata_layout.ts";
import type { ResourceRecord } from "../../agent/dns/record.ts";
import { formatRecord } from "../../agent/dns/record_text.ts";
import { decodeUpstreamAnswer, RECORDS_MAX } from "../../agent/dns/upstream_message.ts";
import { parseResolvConf } from "../../agent/host_dns/resolv_conf.ts";
import { answerClusterDomain, answerSpecialName } from "../../agent/names/local_zones.ts";
import { parseManifest } from "../../agent/names/manifest.ts";
import { lookupMesh, meshSearchDomains } from "../../agent/names/mesh_lookup.ts";
import { decodeNameTable } from "../../agent/names/name_table_message.ts";
import { parseNameserver } from "../../agent/system/nameserver.ts";
import { readWire } from "../differential/wire_reader.ts";
import { generateTable } from "../support/generated_table.ts";
import { query, readMessage } from "../support/dns_messages.ts";
import { buildTable } from "../support/name_tables.ts";
import {
  answerCorpus,
  makeAnswer,
  queryCorpus,
  tableCorpus,
  textCorpus,
  UPSTREAM_ID,
  UPSTREAM_QUESTION,
} from "./fuzz_corpus.ts";
import { runFastPath } from "./fast_path_target.ts";
import type { FuzzTarget } from "./fuzz_loop.ts";
import { mutationsOf, type Numbers } from "./mutator.ts";

const CLUSTER = { clusterDomain: "cluster.local" };
const VIP_RANGES = { vipRanges: [parseRange("240.240.0.0/16")!] };
const VIEW = {
  ...CLUSTER,
  namespace: "ns1",
  searchDomains: meshSearchDomains({ ...CLUSTER, namespace: "ns1" }),
  serveAutoAllocated: true,
};
const ENTRIES = generateTable(1, 200);
const { table: TABLE } = buildTable(ENTRIES, VIP_RANGES);

/** A query is answered, refused or dropped; what is sent back can be read, and repeats the question. */
function runQuery(packet: Uint8Array, numbers: Numbers): string {
  // Most would end at the header otherwise.
  if (numbers() % 4 !== 0 && packet.length >= 12) packet.set([1, 0, 0, 1, 0, 0, 0, 0], 2);
  const decoded = decodeQuery(packet);
  if (decoded.kind === "drop") return `drop ${decoded.reason}`;
  const head = decoded.kind === "query" ? decoded.query : decoded.head;
  const maxOctets = udpAnswerLimit(head);
  const bytes = encodeAnswer(head, answerOf(decoded, numbers()), { maxOctets });
  assert.ok(bytes.length >= 12 && bytes.length <= maxOctets, `${bytes.length} octets`);
  const sent = readWire(bytes);
  assert.equal(sent.id, head.id);
  if (decoded.kind === "reject") return `reject ${decoded.rcode}`;
  assert.deepEqual(bytes.subarray(12, 12 + head.questionWire.length), head.questionWire);
  const { name } = decoded.query.question;
  assert.equal(parseName(name === "" ? "." : name), name);
  return `query, ${sent.sections[0].length > 0 ? "records" : "none"}`;
}

function answerOf(decoded: ReturnType<typeof decodeQuery>, rotation: number): Answer {
  if (decoded.kind !== "query") return failureAnswer(5, { code: 0, text: "fuzz" });
  const { question } = decoded.query;
  const mesh = lookupMesh({ table: TABLE, view: VIEW }, question, rotation);
  const known = { table: TABLE, complete: rotation % 2 === 0, view: VIEW };
  const local = answerSpecialName(question) ?? answerClusterDomain(known, question);
  return mesh.kind === "answer" ? mesh.answer : local?.answer ?? failureAnswer(2);
}

const CLIENT = query(UPSTREAM_QUESTION.name, "ANY", {
  edns: { udpPayloadSize: 1232, dnssecOk: true },
});
const EXPECTED = { id: UPSTREAM_ID, question: UPSTREAM_QUESTION };

/** An upstream answer is taken or not; what is taken can be sent on, and reads the same then. */
function runAnswer(packet: Uint8Array, numbers: Numbers): string {
  // Most would end at the id and the question otherwise.
  const withHead = numbers() % 4 !== 0 && packet.length > HEAD.length;
  const question = { ...UPSTREAM_QUESTION, type: ASKED_TYPES[numbers() % ASKED_TYPES.length] };
  if (withHead) {
    packet.set(HEAD.subarray(0, 2));
    packet[2] = packet[2] & 0x07 | 0x80;
    packet.set([0, 1], 4);
    packet.set(HEAD.subarray(12), 12);
    packet.set([question.type >> 8, question.type & 0xff], HEAD.length - 4);
  }
  const decoded = decodeUpstreamAnswer(packet, { ...EXPECTED, question });
  if (decoded.kind !== "answer") return decoded.kind;
  const { answer } = decoded;
  const records = [...answer.answers, ...answer.authority, ...answer.additional];
  assert.ok(records.length <= RECORDS_MAX);
  for (const record of records) assertWholeRecord(record);
  const client = { ...CLIENT, questionWire: questionWireOf(question.type) };
  for (const maxOctets of [512, 1232, TCP_OCTETS_MAX]) {
    const bytes = encodeAnswer(client, answer, { maxOctets });
    assert.ok(bytes.length <= maxOctets);
    const sent = readWire(bytes);
    if (sent.flags.includes("TC") || records.length >= RECORDS_MAX) continue;
    const again = decodeUpstreamAnswer(bytes, { id: CLIENT.id, question });
    assert.ok(again.kind === "answer");
    for (const section of ["answers", "authority"] as const) {
      assert.deepEqual(again.answer[section].map(caseless), answer[section].map(caseless));
    }
  }
  const { kind, seconds } = lifetimeOf(answer, { minSeconds: 0, maxSeconds: 86_400 });
  assert.ok(seconds >= 0 && seconds <= 86_400);
  const cache = new AnswerCache();
  if (cache.put("www.example.org 1", answer, 0)) {
    assert.ok(cache.get("www.example.org 1", seconds * 1000 - 1));
    assert.equal(cache.get("www.example.org 1", seconds * 1000), undefined);
  }
  return `answer, ${kind}${records.length === 0 ? ", none" : ""}`;
}

/** Id and question of an answer that matches; the type stands in its last four octets. */
const HEAD = answerCorpus()[0].slice(0, 12 + UPSTREAM_QUESTION.name.length + 2 + 4);
const ASKED_TYPES = [1, 5, 6, 15, 16, 28, 33, 39, 47, 255, 255, 255, 255, 255, 65280];

function questionWireOf(type: number): Uint8Array {
  const wire = HEAD.slice(12);
  wire.set([type >> 8, type & 0xff], wire.length - 4);
  return wire;
}

/** A record without the letter case of names in it that may be written as a pointer to the same in another. */
function caseless(record: ResourceRecord): ResourceRecord {
  const form = compressibleNames(record.type);
  if (form === undefined) return record;
  const rdata = record.rdata.slice();
  let offset = form.fixedOctets;
  for (let i = 0; i < form.names; i++) {
    const { name, end } = decodeName(rdata, offset)!;
    rdata.set(encodeName(name), offset);
    offset = end;
  }
  return { ...record, rdata };
}

function assertWholeRecord(record: ResourceRecord): void {
  assert.deepEqual(decodeName(encodeName(record.name), 0)?.name, record.name);
  assert.ok(record.ttlSeconds >= 0 && record.ttlSeconds <= 0x7fffffff);
  assert.ok(formatRecord(record).length > 0);
}

/** What dns-packet wrote is read here, and what is written here dns-packet reads: the same both times. */
function runRoundTrip(packet: Uint8Array): string {
  const decoded = decodeUpstreamAnswer(packet, EXPECTED);
  assert.ok(decoded.kind === "answer");
  const { answer } = decoded;
  const written = encodeAnswer(CLIENT, answer, { maxOctets: TCP_OCTETS_MAX });
  for (const section of ["answers", "authorities"] as const) {
    assert.deepEqual(textsOf(written, section), textsOf(packet, section));
  }
  return `${Math.min(answer.answers.length, 8)} records`;
}

/** The records of a section as dns-packet reads them. */
function textsOf(message: Uint8Array, section: "answers" | "authorities"): string[] {
  return readMessage(message)[section]!.map((record) => {
    const { name, type, ttl, data } = record as unknown as Record<string, unknown>;
    return `${name} ${ttl} ${type} ${JSON.stringify(data)}`.toLowerCase();
  });
}

/** A table is read or refused with an Error; what is read makes a table that answers. */
function runTable(packet: Uint8Array): string {
  let entries;
  try {
    entries = [...decodeNameTable(packet)];
  } catch (error) {
    assert.ok(error instanceof Error);
    return "refused";
  }
  const { table, rejectedTotal } = buildTable(entries, VIP_RANGES);
  for (const { host } of entries.slice(0, 5)) {
    const name = parseName(host);
    if (name === undefined) continue;
    const outcome = lookupMesh({ table, view: VIEW }, { name, type: 1 }, 0);
    if (outcome.kind === "answer") {
      readWire(encodeAnswer(CLIENT, outcome.answer, { maxOctets: 1232 }));
    }
  }
  return rejectedTotal > 0 ? "table, some left out" : entries.length > 0 ? "table" : "empty";
}

function textTarget(
  name: string,
  corpus: Uint8Array[],
  weight: number,
  read: (text: string) => string,
): FuzzTarget {
  return {
    name,
    make: mutationsOf(corpus),
    weight,
    run: (packet) => read(new TextDecoder().decode(packet)),
  };
}

/** A text that names something is read as one thing, and reads the same when it is written again. */
function readName(text: string): string {
  parseNameserver(text);
  const address = parseAddress(text);
  if (address !== undefined) return "address";
  if (parseRange(text) !== undefined) return "range";
  const name = parseName(text);
  if (name === undefined) return "refused";
  parseReverseName(name);
  assert.equal(decodeName(encodeName(name), 0)?.name, name);
  assert.equal(parseName(name === "" ? "." : name), name);
  return "name";
}

/** The targets. */
export function fuzzTargets(): FuzzTarget[] {
  const texts = textCorpus();
  return [
    {
      name: "client query",
      make: mutationsOf(queryCorpus(ENTRIES.map(({ host }) => host))),
      weight: 30,
      run: runQuery,
    },
    {
      name: "fast path",
      make: mutationsOf(queryCorpus(ENTRIES.map(({ host }) => host))),
      weight: 20,
      run: runFastPath,
    },
    { name: "upstream answer", make: mutationsOf(answerCorpus()), weight: 30, run: runAnswer },
    { name: "round trip", make: makeAnswer, weight: 3, run: runRoundTrip },
    { name: "name table", make: mutationsOf(tableCorpus()), weight: 8, run: runTable },
    textTarget("names and addresses", texts.names, 12, readName),
    textTarget("resolv.conf", texts.resolvConf, 4, (text) => {
      const { problems } = parseResolvConf(text);
      return problems.length > 0 ? "problems" : "read";
    }),
    textTarget("cluster.env", texts.variables, 3, (text) => {
      const { problems } = parseShellVariables(text);
      return problems.length > 0 ? "problems" : "read";
    }),
    textTarget("configuration", texts.config, 1, (text) => {
      return "problems" in parseConfigText(text) ? "problems" : "read";
    }),
    textTarget("manifest", texts.manifest, 1, (text) => {
      const { problems } = parseManifest(text, { file: "fuzz.yaml" });
      return problems.length > 0 ? "problems" : "read";
    }),
  ];
}
