/**
 * Two answers to one question, held against each other aspect by aspect.
 *
 * @module
 */
import type { CorpusQuestion } from "./corpus.ts";
import type { WireMessage, WireRecord } from "./wire_reader.ts";

/** What two answers can differ in. */
export type Aspect =
  | "rcode"
  | "flags"
  | "question"
  | "answer"
  | "order"
  | "letter case"
  | "authority"
  | "ttl"
  | "edns"
  | "truncation"
  | "upstream";

/** What a server made of a question. */
export interface Outcome {
  /** Its answer. */
  message: WireMessage;
  /** Whether upstream was asked for it in this pass, by anybody. */
  askedUpstream: boolean;
}

/** Both outcomes. */
export interface Comparison {
  /** What was asked. */
  asked: CorpusQuestion;
  /** Which time it is asked. */
  pass: "before" | "within" | "after";
  /** Of the referee. */
  unbound: Outcome;
  /** Of outrigger. */
  outrigger: Outcome;
  /** How far two TTLs may be apart: caches began to count at different times. */
  toleranceSeconds: number;
}

const CNAME = 5, DNAME = 39, RRSIG = 46, ANY = 255;

/** The aspects in which two outcomes differ. */
export function differingAspects(comparison: Comparison): Aspect[] {
  const { unbound: { message: theirs }, outrigger: { message: ours }, pass } = comparison;
  const aspects: Aspect[] = [];
  const differ = (aspect: Aspect, isSame: boolean) => {
    if (!isSame) aspects.push(aspect);
  };
  const isCut = ({ flags }: WireMessage) => flags.includes("TC");
  const flags = (message: WireMessage) => message.flags.filter((flag) => flag !== "TC").join(" ");
  differ("rcode", theirs.rcode === ours.rcode);
  differ("flags", flags(theirs) === flags(ours));
  differ("question", theirs.question === ours.question);
  differ("edns", JSON.stringify(theirs.edns) === JSON.stringify(ours.edns));
  differ("truncation", isCut(theirs) === isCut(ours));
  // Where something was cut off, nothing is said about the rest: the client asks again over TCP.
  if (isCut(theirs) || isCut(ours)) return aspects;
  const sections = isNegative(comparison) ? [0, 1] : [0];
  for (const section of sections) {
    const [a, b] = [theirs.sections[section], ours.sections[section]];
    const isSame = sameSet(a, b, lowerCase);
    differ(section === 0 ? "answer" : "authority", isSame);
    if (!isSame) continue;
    differ("letter case", sameSet(a, b, (text) => text));
    if (section === 0) differ("order", inOrder(a) === inOrder(b));
    differ("ttl", sameTtls(a, b, comparison.toleranceSeconds));
  }
  if (pass !== "before") {
    differ("upstream", comparison.unbound.askedUpstream === comparison.outrigger.askedUpstream);
  }
  return [...new Set(aspects)];
}

/** Whether the referee says that there are no such records. */
export function isNegative({ asked, unbound: { message } }: Comparison): boolean {
  return !message.sections[0].some(({ type }) => type === asked.type) && asked.type !== ANY;
}

/** The records of an answer that are no part of its chain. */
export function dataOf({ sections: [answer] }: WireMessage): WireRecord[] {
  return answer.filter(({ type }) => ![CNAME, DNAME, RRSIG].includes(type));
}

/** A record without its TTL. */
export function textOf({ owner, type, data }: WireRecord): string {
  return `${owner} ${type} ${data}`;
}

/** Whether two sections have the same records, in any order. */
export function sameSet(
  a: readonly WireRecord[],
  b: readonly WireRecord[],
  view: (text: string) => string = lowerCase,
): boolean {
  const all = (records: readonly WireRecord[]) =>
    records.map((record) => view(textOf(record))).sort().join("\n");
  return all(a) === all(b);
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}

/** The chain as it comes: a client that reads from the top must meet an alias before its target. */
function inOrder(records: readonly WireRecord[]): string {
  return records.map(({ owner, type }) => `${lowerCase(owner)} ${type}`)
    .filter((text, i, all) => text !== all[i - 1]).join("\n");
}

function sameTtls(
  a: readonly WireRecord[],
  b: readonly WireRecord[],
  toleranceSeconds: number,
): boolean {
  const ttls = new Map(a.map((record) => [lowerCase(textOf(record)), record.ttl]));
  return b.every((record) =>
    Math.abs(ttls.get(lowerCase(textOf(record)))! - record.ttl) <= toleranceSeconds
  );
}
