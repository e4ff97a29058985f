/**
 * Where outrigger answers otherwise than unbound as a forwarder, and why. The differential test takes no
 * other difference, and none that is not seen any more.
 *
 * @module
 */
import { type Aspect, type Comparison, isNegative, sameSet } from "./comparison.ts";
import type { WireMessage, WireRecord } from "./wire_reader.ts";

/** A difference that is meant. */
export interface Difference {
  /** What differs. */
  what: string;
  /** Why. */
  why: string;
  /** In which aspects of the answer. */
  aspects: readonly Aspect[];
  /** Whether it is this one. */
  explains(comparison: Comparison): boolean;
}

const A = 1, NS = 2, CNAME = 5, SOA = 6, DNAME = 39, RRSIG = 46, NSEC = 47, ANY = 255;
const NOERROR = 0, FORMERR = 1, SERVFAIL = 2, REFUSED = 5;

/** The differences. */
export const DIFFERENCES: readonly Difference[] = [
  {
    what: "A chain of 12 CNAMEs: taken; unbound takes 11.",
    why: "Both have a limit; nothing says where it must be.",
    aspects: ["rcode", "answer", "authority", "truncation", "upstream"],
    explains: ({ asked, unbound, outrigger }) =>
      unbound.message.rcode === SERVFAIL &&
      (aliasesOf(outrigger.message).length === 12 || asked.key.startsWith("chain12-0.")),
  },
  {
    what: "More than 1,024 records: SERVFAIL; unbound passes them on.",
    why: "What one answer may cost is bounded.",
    aspects: ["rcode", "answer", "truncation", "upstream"],
    explains: ({ asked, outrigger }) =>
      asked.key.startsWith("many1100.") && outrigger.message.rcode === SERVFAIL,
  },
  {
    what: "RA is set in a refusal too; unbound leaves it out.",
    why: "RA says what the server can do, not what it did for this question.",
    aspects: ["flags"],
    explains: ({ unbound: { message: theirs }, outrigger: { message: ours } }) =>
      [FORMERR, REFUSED].includes(ours.rcode) && theirs.rcode === ours.rcode &&
      ours.flags.filter((flag) => flag !== "RA").join() === theirs.flags.join(),
  },
  {
    what: "A type that nobody may ask for (0): FORMERR; unbound asks, and says SERVFAIL.",
    why: "RFC 6895 section 3.1 reserves it.",
    aspects: ["rcode", "upstream"],
    explains: ({ asked, outrigger }) => asked.type === 0 && outrigger.message.rcode === FORMERR,
  },
  {
    what: "A failure of the upstream server: its own response code; unbound says SERVFAIL.",
    why: "It says more: glibc asks its next nameserver at each of them.",
    aspects: ["rcode", "upstream"],
    explains: ({ unbound, outrigger }) =>
      unbound.message.rcode === SERVFAIL && ![NOERROR, SERVFAIL].includes(outrigger.message.rcode),
  },
  {
    what:
      "BADVERS of the upstream server: SERVFAIL; unbound drops its upper bits, which leaves NOERROR.",
    why: "NOERROR would say that there are no such records.",
    aspects: ["rcode", "upstream"],
    explains: ({ asked, unbound, outrigger }) =>
      asked.key.startsWith("badvers.") && unbound.message.rcode === NOERROR &&
      outrigger.message.rcode === SERVFAIL,
  },
  {
    what: "A name that DNAME makes too long: what the upstream server says; unbound says SERVFAIL.",
    why: "The upstream server has done the substitution, and knows better.",
    aspects: ["rcode", "answer", "authority", "upstream"],
    explains: ({ unbound, outrigger }) =>
      unbound.message.rcode === SERVFAIL && has(outrigger.message, DNAME) &&
      !has(outrigger.message, CNAME),
  },
  {
    what: "A record that does not fit its type: SERVFAIL; unbound passes it on.",
    why: "A client may read beyond its end.",
    aspects: ["rcode", "answer", "upstream"],
    explains: ({ asked, unbound, outrigger }) =>
      outrigger.message.rcode === SERVFAIL && asked.type === A &&
      unbound.message.sections[0].some(({ type, data }) => type === A && data.length !== 8),
  },
  {
    what: "A record of another class: left out; unbound calls it one of class IN.",
    why: "It does not answer the question.",
    aspects: ["answer", "upstream"],
    explains: ({ asked, outrigger }) =>
      asked.key.startsWith("class-chaos.") && outrigger.message.sections[0].length === 0,
  },
  {
    what: "Two CNAMEs of one name: both; unbound passes on the first.",
    why: "Both follow the first; the other one harms nobody.",
    aspects: ["answer"],
    explains: ({ unbound, outrigger }) =>
      aliasesOf(outrigger.message).length === 2 && aliasesOf(unbound.message).length === 1,
  },
  {
    what: "A CNAME and an address of one name: the address; unbound follows the CNAME.",
    why: "The name may not have both (RFC 1034 section 3.6.2); the address answers the question.",
    aspects: ["answer"],
    explains: ({ asked, outrigger: { message: { sections: [answer] } } }) =>
      answer.some(({ type }) => type === CNAME) &&
      answer.some(({ owner, type }) => type === asked.type && owner === answer[0].owner),
  },
  {
    what:
      "Behind an alias with TTL 0: what the upstream server says now; unbound has the target cached.",
    why: "An answer is cached whole under its question, or not at all.",
    aspects: ["answer"],
    explains: ({ unbound, outrigger }) =>
      [unbound, outrigger].every(({ message, askedUpstream }) =>
        askedUpstream && aliasesOf(message).some(({ ttl }) => ttl === 0)
      ),
  },
  {
    what: "ANY: what the upstream server says; unbound says all that it has in its cache.",
    why: "An answer is cached whole under its question, and under no other.",
    aspects: ["answer", "order", "ttl", "truncation", "upstream"],
    explains: ({ asked }) => asked.type === ANY,
  },
  {
    what: "A SOA that is not of a zone above the name: left out, and the answer not cached.",
    why: "Nobody may say for how long a name of others does not exist.",
    aspects: ["authority", "upstream"],
    explains: (comparison) => {
      const { unbound, outrigger } = comparison;
      return isNegative(comparison) && has(unbound.message, SOA) && !has(outrigger.message, SOA);
    },
  },
  {
    what: "A referral: passed on, as unbound does, but not cached.",
    why: "It answers nothing; the next question may find a better server.",
    aspects: ["upstream", "ttl"],
    explains: ({ unbound, outrigger }) =>
      outrigger.askedUpstream &&
      [unbound, outrigger].every(({ message }) =>
        message.sections[0].length === 0 && has(message, NS) && !has(message, SOA)
      ),
  },
  {
    what: "A question without RD that is not in the cache: REFUSED; unbound says whom to ask.",
    why: "A forwarder has no delegations that would help.",
    aspects: ["rcode", "authority"],
    explains: ({ asked, unbound, outrigger }) =>
      asked.style.noRecursion === true && outrigger.message.rcode === REFUSED &&
      has(unbound.message, NS),
  },
  {
    what:
      "AD of the upstream server: passed on to clients that look at it; unbound never sets it " +
      "without a validator.",
    why: "The client decides whether it trusts that server, as it would without the agent.",
    aspects: ["flags"],
    explains: ({ unbound, outrigger }) =>
      outrigger.message.flags.filter((flag) => flag !== "AD").join() ===
        unbound.message.flags.join(),
  },
  {
    what:
      "RD is repeated from the question; unbound takes it from the one that brought the answer.",
    why: "RFC 1035 section 4.1.1.",
    aspects: ["flags"],
    explains: ({ asked, unbound, outrigger }) =>
      asked.style.noRecursion === true && unbound.message.flags.includes("RD") &&
      !outrigger.message.flags.includes("RD"),
  },
  {
    what:
      "A chain that loops or is too long: asked for again when its failure has ended; unbound " +
      "fails anew with the records that it has cached.",
    why: "Nothing of an answer that cannot be used is kept.",
    aspects: ["upstream"],
    explains: ({ unbound, outrigger }) =>
      unbound.message.rcode === SERVFAIL && outrigger.message.rcode === SERVFAIL,
  },
  {
    what:
      "The owner of an NSEC record is in lower case; unbound repeats the letter case of an earlier question.",
    why: "Letter case means nothing in a name (RFC 4343), and nobody asked in that one.",
    aspects: ["letter case"],
    explains: ({ unbound, outrigger }) =>
      [0, 1].every((section) => {
        const records = (message: WireMessage) =>
          message.sections[section].filter(({ type }) => type !== NSEC && type !== RRSIG);
        return sameSet(records(unbound.message), records(outrigger.message), (text) => text);
      }),
  },
  {
    what:
      "Records of one answer end together, with the first that ends; unbound keeps each for itself.",
    why: "An answer is cached whole under its question.",
    aspects: ["ttl"],
    explains: ({ unbound, outrigger, toleranceSeconds }) => {
      const theirs = ttlsOf(unbound.message);
      const ours = ttlsOf(outrigger.message);
      return Math.max(...ours) <= Math.min(...theirs) + toleranceSeconds;
    },
  },
  {
    what: "The CNAME that DNAME makes has the TTL of the DNAME; of unbound it has 0 at times.",
    why: "RFC 6672 section 3.1.",
    aspects: ["ttl"],
    explains: ({ unbound: { message: { sections: [answer] } } }) =>
      answer.some(({ type }) => type === DNAME) &&
      answer.some(({ type, ttl }) => type === CNAME && ttl === 0),
  },
];

function ttlsOf({ sections: [answer, authority] }: WireMessage): number[] {
  return [...answer, ...authority].map(({ ttl }) => ttl);
}

function has({ sections }: WireMessage, type: number): boolean {
  return sections.flat().some((record) => record.type === type);
}

function aliasesOf({ sections: [answer] }: WireMessage): WireRecord[] {
  return answer.filter(({ type }) => type === CNAME);
}
