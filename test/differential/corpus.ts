/**
 * The zones, and every question about them with the way in which it is asked.
 *
 * @module
 */
import { numbersOf } from "../support/generated_table.ts";
import type { Asked, Style } from "./client.ts";
import { generateShapes } from "./generated_shapes.ts";
import type { Zone } from "./knot.ts";
import { SCRIPTS } from "./scripted_answers.ts";
import { type Shape, SHAPES, TYPES } from "./shapes.ts";

/** A question of the corpus. */
export interface CorpusQuestion extends Asked {
  /** `name TYPE`, and how it is asked: for people. */
  title: string;
  /** What the front counts it under: `name type class`, in lower case. */
  key: string;
  /** Whether all that is said about it ends within three seconds. */
  brief: boolean;
}

/** Every way of asking that a question may get. */
const STYLES: readonly Style[] = [
  { transport: "udp" },
  { transport: "udp", payload: 512 },
  { transport: "udp", payload: 1232, dnssecOk: true },
  { transport: "udp", payload: 4096 },
  { transport: "udp", payload: 4096, dnssecOk: true, checkingDisabled: true },
  { transport: "udp", checkingDisabled: true },
  { transport: "udp", authenticData: true },
  { transport: "udp", payload: 65535, dnssecOk: true, authenticData: true },
  { transport: "tcp" },
  { transport: "tcp", payload: 1232, dnssecOk: true },
];
/** The ways in which hand-made shapes are asked for, each of them. */
const HAND_MADE_STYLES = [STYLES[0], STYLES[2], STYLES[9]];
const NO_RECURSION: Style = { transport: "udp", noRecursion: true };

const GENERATED = [
  { name: "example.org", signing: "none", seed: 1 },
  { name: "example.net", signing: "nsec", seed: 2 },
  { name: "example.com", signing: "nsec3", seed: 3 },
] as const;
const GENERATED_COUNT = 100;

const REVERSE_IPV4 = "2.0.192.in-addr.arpa";
const REVERSE_IPV6 = "8.b.d.0.1.0.0.2.ip6.arpa";

/** Records that end within three seconds, and what is asked about them. */
const BRIEF: Shape = {
  title: "records that end soon",
  lines: [
    "one 1 A 192.0.2.1",
    "two 2 A 192.0.2.2",
    "three 3 A 192.0.2.3",
    "three 3 AAAA 2001:db8::3",
    "alias 2 CNAME three",
    "alias-one 3 CNAME one",
    "text 2 TXT brief",
    "*.any 2 A 192.0.2.4",
    "zero 0 A 192.0.2.5",
  ],
  questions: [
    ...["one A", "two A", "three A", "three AAAA", "alias A", "alias AAAA", "alias-one A"],
    ...["text TXT", "x.any A", "zero A", "nobody A", "nobody AAAA", "one TXT", "later A"],
  ],
};

/** The zones; those that are not signed say something else in each generation. */
export function zonesOf(generation: 1 | 2): Zone[] {
  const network = generation === 1 ? "192.0.2." : "198.51.100.";
  const inGeneration = (lines: readonly string[]) =>
    lines.map((line) => line.replaceAll(" A 192.0.2.", ` A ${network}`));
  const signed = GENERATED.map(({ name, signing, seed }): Zone => {
    const shapes = [...SHAPES, ...generateShapes(seed, GENERATED_COUNT)];
    const lines = shapes.flatMap((shape) => shape.lines);
    const changes = signing === "none" ? inGeneration(lines) : lines;
    return { name, signing, minimum: 120, lines: changes };
  });
  const plain = { signing: "none", minimum: 120 } as const;
  const later = generation === 1 ? [] : ["later 2 A 198.51.100.9"];
  return [
    ...signed,
    { ...plain, name: "corp.example", lines: inGeneration(["elsewhere A 192.0.2.90"]) },
    {
      ...plain,
      name: "brief.example",
      minimum: 2,
      lines: [...inGeneration(BRIEF.lines), ...later],
    },
    {
      ...plain,
      name: REVERSE_IPV4,
      lines: [1, 2, 3].flatMap((
        i,
      ) => [`${i} PTR Host-${i}.Example.org.`, `9 PTR many${i}.corp.example.`]),
    },
    { ...plain, name: REVERSE_IPV6, lines: [`${"0.".repeat(23)}0 PTR six.example.org.`] },
  ];
}

/** Every question. */
export function corpus(): CorpusQuestion[] {
  const random = numbersOf(20261201);
  const questions: CorpusQuestion[] = [];
  const add = (zone: string, question: string, style: Style, brief = false) => {
    const [name, type] = question.split(" ");
    const full = name === "@" ? zone : `${name}.${zone}`;
    questions.push(corpusQuestion(full, TYPES[type] ?? Number(type), style, brief));
  };
  for (const { name: zone, seed } of GENERATED) {
    for (const question of SHAPES.flatMap((shape) => shape.questions)) {
      for (const style of HAND_MADE_STYLES) add(zone, question, style);
    }
    for (const question of generateShapes(seed, GENERATED_COUNT).flatMap((s) => s.questions)) {
      add(zone, question, STYLES[random() % STYLES.length]);
    }
    for (const question of ["mail A", "never-asked A"]) add(zone, question, NO_RECURSION);
  }
  const inner = /^chain\d+-[1-9]/;
  for (const label of Object.keys(SCRIPTS).filter((label) => !inner.test(label))) {
    add("raw.example", `${label} A`, STYLES[3]);
  }
  for (const style of [STYLES[6], STYLES[7]]) add("raw.example", "validated A", style);
  for (const question of BRIEF.questions) add("brief.example", question, STYLES[3], true);
  for (const name of ["1", "2", "9", "77", "@"]) add(REVERSE_IPV4, `${name} PTR`, STYLES[0]);
  for (const name of [`${"0.".repeat(23)}0`, "f.f", "@"]) {
    add(REVERSE_IPV6, `${name} PTR`, STYLES[2]);
  }
  // Last: unbound has it in its cache by now, from the question for an address.
  add("example.org", "x.tree CNAME", STYLES[3]);
  const unique = new Map(questions.map((question) => [question.title, question]));
  return [...unique.values()];
}

function corpusQuestion(
  name: string,
  type: number,
  style: Style,
  brief: boolean,
): CorpusQuestion {
  const labels = name.split(".").map(labelOctets);
  const { transport, payload, ...flags } = style;
  const how = [
    transport,
    ...(payload === undefined ? [] : [String(payload)]),
    ...Object.keys(flags),
  ].join(" ");
  const key = `${labels.map(labelText).join("")} ${type} 1`.toLowerCase();
  return { title: `${name} ${type} (${how})`, key, labels, type, style, brief };
}

/** The octets of a label in which odd ones are written `\DDD`. */
function labelOctets(text: string): Uint8Array {
  const octets: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") {
      octets.push(Number(text.slice(i + 1, i + 4)));
      i += 3;
    } else octets.push(text.charCodeAt(i));
  }
  return Uint8Array.from(octets);
}

/** As the wire reader writes a label. */
function labelText(octets: Uint8Array): string {
  return Array.from(octets, (octet) => {
    const plain = octet > 0x20 && octet < 0x7f && octet !== 0x2e && octet !== 0x5c;
    return plain ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, "0")}`;
  }).join("") + ".";
}
