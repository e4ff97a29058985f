/**
 * What a story expects of an answer: `NXDOMAIN, AA, no TC, EDE 22` and the records below it.
 *
 * @module
 */
import type { ReceivedAnswer } from "./story_client.ts";
import { formatRecordLine, parseRecordLine, type StoryRecord } from "./record_line.ts";

/** What is expected. */
export interface AnswerExpectation {
  rcode: string;
  /** Words about header, OPT and size, each checked by itself. */
  words: string[];
  /** Whose answer; undefined for any question's. */
  question: string | undefined;
  /** How many such answers. */
  times: number;
  /** Records by section; undefined where the story leaves the section open. */
  sections: Record<Section, string[] | undefined>;
}

type Section = "answers" | "authorities" | "additionals";

interface Facts extends ReceivedAnswer {
  opt: { udpPayloadSize: number; flag_do: boolean; options: OptOption[] } | undefined;
}

interface OptOption {
  code: number;
  data?: Uint8Array;
}

const HEADER_BITS = { AA: "flag_aa", TC: "flag_tc", RD: "flag_rd", RA: "flag_ra" } as const;
const MORE_BITS = { AD: "flag_ad", CD: "flag_cd" } as const;
const EXTENDED_DNS_ERROR = 15;

/** Words about an answer: whether each holds. */
const WORDS: { form: string; pattern: RegExp; holds(facts: Facts, match: string[]): boolean }[] = [
  {
    form: "AA",
    pattern: /^(no )?(AA|TC|RD|RA|AD|CD)$/,
    holds: ({ packet }, [no, bit]) => {
      const field = { ...HEADER_BITS, ...MORE_BITS }[bit as keyof typeof HEADER_BITS];
      return packet[field] === (no === undefined);
    },
  },
  { form: "no EDNS", pattern: /^no EDNS$/, holds: ({ opt }) => opt === undefined },
  {
    form: "EDNS 1232",
    pattern: /^EDNS (\d+)$/,
    holds: ({ opt }, [payload]) => opt?.udpPayloadSize === Number(payload),
  },
  { form: "DO", pattern: /^DO$/, holds: ({ opt }) => opt?.flag_do === true },
  {
    form: "EDE 22",
    pattern: /^EDE (\d+)$/,
    holds: ({ opt }, [code]) => extendedError(opt)?.code === Number(code),
  },
  { form: "no EDE", pattern: /^no EDE$/, holds: ({ opt }) => extendedError(opt) === undefined },
  {
    form: "at most 512 octets",
    pattern: /^at most (\d+) octets$/,
    holds: ({ octets }, [limit]) => octets <= Number(limit),
  },
  {
    form: "at least 512 octets",
    pattern: /^at least (\d+) octets$/,
    holds: ({ octets }, [limit]) => octets >= Number(limit),
  },
  {
    form: "3 records",
    pattern: /^(\d+) records?$/,
    holds: ({ packet }, [count]) => packet.answers!.length === Number(count),
  },
  {
    form: "some records",
    pattern: /^some records$/,
    holds: ({ packet }) => packet.answers!.length > 0,
  },
  { form: "by TCP", pattern: /^by (UDP|TCP)$/, holds: ({ transport }, [by]) => transport === by },
];

/** Reads an expectation. @throws {Error} for words that say nothing about an answer */
export function parseAnswerExpectation(text: string, block: readonly string[]): AnswerExpectation {
  const [rcode, ...words] = text.split(", ");
  if (!/^[A-Z0-9]+$/.test(rcode)) throw new Error(`"${rcode}" is no response code`);
  const expectation: AnswerExpectation = {
    rcode,
    words: [],
    question: undefined,
    times: 1,
    sections: { answers: [], authorities: undefined, additionals: undefined },
  };
  for (const word of words) {
    const question = /^for (\S+ [A-Z0-9]+)$/.exec(word);
    const times = /^(\d+) times$/.exec(word);
    if (question !== null) expectation.question = question[1];
    else if (times !== null) expectation.times = Number(times[1]);
    else if (WORDS.some(({ pattern }) => pattern.test(word))) expectation.words.push(word);
    else throw new Error(`"${word}" says nothing about an answer`);
    if (/^(\d+|some) records?$/.test(word)) expectation.sections.answers = undefined;
  }
  for (const line of block) {
    const [, section = "answer", record] = /^(?:(authority|additional) )?(.*)$/.exec(line)!;
    const key = SECTIONS[section];
    const open = / \* /.test(record);
    const parsed = parseRecordLine(record.replace(/ \* /, " 0 "));
    (expectation.sections[key] ??= []).push(formatRecordLine(parsed, open ? "*" : undefined));
  }
  return expectation;
}

const SECTIONS: Record<string, Section> = {
  answer: "answers",
  authority: "authorities",
  additional: "additionals",
};

/** What is wrong with an answer; empty where nothing is. */
export function compareAnswer(
  expected: AnswerExpectation,
  received: ReceivedAnswer,
): string[] {
  const facts: Facts = { ...received, opt: optOf(received) };
  const wrong: string[] = [];
  if (expected.question !== undefined && expected.question !== received.question) {
    wrong.push(`it answers "${received.question}" and not "${expected.question}"`);
  }
  if (rcodeOf(received) !== expected.rcode) wrong.push(`its rcode is not ${expected.rcode}`);
  for (const word of expected.words) {
    const { pattern, holds } = WORDS.find(({ pattern }) => pattern.test(word))!;
    if (!holds(facts, pattern.exec(word)!.slice(1))) wrong.push(`"${word}" does not hold`);
  }
  for (const section of ["answers", "authorities", "additionals"] as const) {
    const lines = expected.sections[section];
    if (lines === undefined) continue;
    const records = recordsOf(received, section);
    const open = new Set(lines.filter((line) => / \* /.test(line)).map(withoutTtl));
    const actual = records.map((record) => {
      const line = formatRecordLine(record, "*");
      return open.has(withoutTtl(line)) ? line : formatRecordLine(record);
    });
    if (inSets(actual).join("\n") !== inSets(lines).join("\n")) {
      wrong.push(`its ${section} are not those of the story`);
    }
  }
  return wrong;
}

/** An answer as a story would tell it. */
export function describeAnswer(received: ReceivedAnswer): string[] {
  const { packet, octets, transport, question } = received;
  const bits = Object.entries({ ...HEADER_BITS, ...MORE_BITS })
    .flatMap(([bit, field]) => packet[field] ? [bit] : []);
  const opt = optOf(received);
  const error = extendedError(opt);
  const words = [
    rcodeOf(received),
    ...bits,
    opt === undefined ? "no EDNS" : `EDNS ${opt.udpPayloadSize}`,
    ...opt?.flag_do ? ["DO"] : [],
    ...error === undefined ? [] : [`EDE ${error.code} (${error.text})`],
    `${octets} octets`,
    `by ${transport}`,
    `for ${question}`,
  ];
  const lines = (section: Section, prefix: string) =>
    recordsOf(received, section).map((record) => `  ${prefix}${formatRecordLine(record)}`);
  const records = [
    ...lines("answers", ""),
    ...lines("authorities", "authority "),
    ...lines("additionals", "additional "),
  ];
  const more = records.length > 12 ? [`  and ${records.length - 12} more`] : [];
  return [words.join(", "), ...records.slice(0, 12), ...more];
}

/** The response code, its upper bits from OPT included. */
function rcodeOf(received: ReceivedAnswer): string {
  const { packet } = received;
  const opt = packet.additionals!.find((record) => record.type === "OPT");
  const upper = (opt as { extendedRcode?: number } | undefined)?.extendedRcode ?? 0;
  if (upper === 0) return (packet as unknown as { rcode: string }).rcode;
  return upper === 1 ? "BADVERS" : `RCODE${upper << 4}`;
}

function optOf({ packet }: ReceivedAnswer): Facts["opt"] {
  return packet.additionals!.find((record) => record.type === "OPT") as unknown as Facts["opt"];
}

function extendedError(opt: Facts["opt"]): { code: number; text: string } | undefined {
  const option = opt?.options.find(({ code }) => code === EXTENDED_DNS_ERROR);
  if (option?.data === undefined) return undefined;
  const { data } = option;
  return { code: data[0] << 8 | data[1], text: new TextDecoder().decode(data.subarray(2)) };
}

function recordsOf({ packet }: ReceivedAnswer, section: Section): StoryRecord[] {
  return (packet[section] as unknown as StoryRecord[]).filter(({ type }) => type !== "OPT");
}

function withoutTtl(line: string): string {
  return line.replace(/^(\S+) \S+ /, "$1 ");
}

/** Records of one name and type are a set: their order is rotated on purpose. */
function inSets(lines: readonly string[]): string[] {
  const setOf = (line: string) => line.split(" ").filter((_, i) => i === 0 || i === 2).join(" ");
  const sets: string[][] = [];
  for (const line of lines) {
    if (sets.length > 0 && setOf(sets.at(-1)![0]) === setOf(line)) sets.at(-1)!.push(line);
    else sets.push([line]);
  }
  return sets.flatMap((set) => set.sort());
}
