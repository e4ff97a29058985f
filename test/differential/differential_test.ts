import assert from "node:assert/strict";
import { AgentProcess } from "../support/agent_process.ts";
import { freePorts } from "../support/child_process.ts";
import { requirePrograms } from "../support/required_programs.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { ask } from "./client.ts";
import { type Comparison, differingAspects, textOf } from "./comparison.ts";
import { corpus, type CorpusQuestion, zonesOf } from "./corpus.ts";
import { type Difference, DIFFERENCES } from "./differences.ts";
import { Front } from "./front.ts";
import { Knot } from "./knot.ts";
import { Unbound } from "./unbound.ts";
import type { WireMessage } from "./wire_reader.ts";

/** What the records of `brief.example` live at most, and a little more. */
const BRIEF_MS = 3_200;
/** What unbound keeps failures, and negative answers without a SOA, for, and a little more. */
const FAILURES_MS = 6_000;

Deno.test("outrigger answers as unbound does as a forwarder, but for what is listed", async (t) => {
  await requirePrograms([
    { program: "knotd", package: "knot" },
    { program: "unbound", package: "unbound" },
  ]);
  await using directory = await TemporaryDirectory.make();
  const folder = directory.path;
  const [knotPort, unboundFrontPort, outriggerFrontPort, unboundPort] = await freePorts(4);
  await using knot = await Knot.start({
    folder: `${folder}/knot`,
    port: knotPort,
    zones: zonesOf(1),
  });
  await using unboundFront = await Front.start({ port: unboundFrontPort, knotPort });
  await using outriggerFront = await Front.start({ port: outriggerFrontPort, knotPort });
  const isReady = async () => {
    const probe = { labels: [new TextEncoder().encode("version")], type: 1 };
    // Over TCP, which says at once that nobody listens yet.
    await ask(unboundPort, { ...probe, style: { transport: "tcp", noRecursion: true } });
    return true as const;
  };
  await using _unbound = await Unbound.start({
    folder: `${folder}/unbound`,
    port: unboundPort,
    upstreamPort: unboundFrontPort,
    isReady,
  });
  await using agent = await AgentProcess.start({
    folder: `${folder}/agent`,
    args: [
      ...["--names", await directory.write("names.yaml", "")],
      ...["--upstream", `127.0.0.1:${outriggerFrontPort}`, "--search", "search.invalid"],
    ],
  });
  const run = new Run(
    { port: unboundPort, front: unboundFront },
    { port: agent.ports.dns, front: outriggerFront },
  );
  const questions = corpus();
  const [brief, lasting] = [true, false].map((is) => questions.filter((q) => q.brief === is));
  await t.step("before: nothing is cached", async () => {
    await run.pass("before", [...lasting, ...brief]);
  });
  const briefEndsMs = performance.now() + BRIEF_MS;
  await t.step(
    "within the TTL: from the cache, though upstream says something else by now",
    async () => {
      await knot.replace(zonesOf(2), 2);
      await sleep(FAILURES_MS);
      await run.pass("within", lasting);
    },
  );
  await t.step("after the TTL: what upstream says now", async () => {
    await sleep(Math.max(0, briefEndsMs - performance.now()));
    const answers = await run.pass("after", brief);
    assert.ok(answers.filter(isOfGeneration2).length > brief.length / 2);
  });
  run.report();
});

interface Server {
  port: number;
  front: Front;
}

/** Asks both servers, pass by pass, and collects what differs. */
class Run {
  readonly #unbound: Server;
  readonly #outrigger: Server;
  readonly #startedMs = performance.now();
  readonly #explained = new Map<Difference, Set<string>>();
  /** What outrigger said in the first pass, and when, by title. */
  readonly #first = new Map<string, Answered>();
  #asked = 0;
  #same = 0;

  constructor(unbound: Server, outrigger: Server) {
    this.#unbound = unbound;
    this.#outrigger = outrigger;
  }

  async pass(pass: Comparison["pass"], questions: readonly CorpusQuestion[]): Promise<Answered[]> {
    const theirs = await askAll(this.#unbound, questions);
    const ours = await askAll(this.#outrigger, questions);
    const toleranceSeconds = Math.ceil((performance.now() - this.#startedMs) / 1000);
    const unexplained: string[] = [];
    for (const [i, asked] of questions.entries()) {
      this.#asked++;
      if (pass === "after") assert.ok(ours[i].askedUpstream, `${asked.title} is kept too long`);
      if (pass === "within") assertCountedDown(asked, this.#first.get(asked.title)!, ours[i]);
      else this.#first.set(asked.title, ours[i]);
      const comparison = { asked, pass, unbound: theirs[i], outrigger: ours[i], toleranceSeconds };
      const aspects = differingAspects(comparison);
      if (aspects.length === 0) this.#same++;
      for (const aspect of aspects) {
        const difference = DIFFERENCES.find(({ aspects, explains }) =>
          aspects.includes(aspect) && explains(comparison)
        );
        if (difference === undefined) unexplained.push(describe(aspect, comparison));
        else {
          const titles = this.#explained.get(difference) ?? new Set();
          this.#explained.set(difference, titles.add(`${pass} ${asked.title}`));
        }
      }
    }
    const shown = Number(Deno.env.get("DIFFERENCES_SHOWN") ?? "10");
    assert.ok(
      unexplained.length === 0,
      [`${unexplained.length} not explained:`, ...unexplained.slice(0, shown)].join("\n"),
    );
    return ours;
  }

  report(): void {
    console.log(`${this.#asked} questions, ${this.#same} answered alike`);
    for (const difference of DIFFERENCES) {
      const count = this.#explained.get(difference)?.size ?? 0;
      console.log(`${String(count).padStart(6)}  ${difference.what}`);
      assert.ok(count > 0, `no such difference was seen any more: ${difference.what}`);
    }
  }
}

/** An outcome, and when it was. */
type Answered = Comparison["outrigger"] & { atMs: number };

/** What was not asked for again must have TTLs that are lower by the time that went by. */
function assertCountedDown(asked: CorpusQuestion, first: Answered, second: Answered): void {
  const leastTtl = ({ message: { sections: [answer, authority] } }: Answered) =>
    Math.min(...[...answer, ...authority].map(({ ttl }) => ttl), 86_400);
  if (second.askedUpstream) return;
  assert.ok(!isOfGeneration2(second), `${asked.title} has changed, and nobody asked for it`);
  const isCut = ({ message }: Answered) => message.flags.includes("TC");
  if (isCut(first) || isCut(second) || second.message.sections.flat().length === 0) return;
  const elapsedSeconds = (second.atMs - first.atMs) / 1000;
  const countedDown = leastTtl(first) - leastTtl(second);
  assert.ok(
    Math.abs(countedDown - elapsedSeconds) <= 2.5,
    `${asked.title}: ${elapsedSeconds} s later its TTL was lower by ${countedDown}`,
  );
}

/** Whether it has an address of 198.51.100.0/24: see {@link zonesOf}. */
function isOfGeneration2({ message: { sections: [answer] } }: Answered): boolean {
  return answer.some(({ type, data }) => type === 1 && data.startsWith("c63364"));
}

async function askAll(
  { port, front }: Server,
  questions: readonly CorpusQuestion[],
): Promise<Answered[]> {
  const before = new Map(front.questions);
  const answers: { message: WireMessage; atMs: number }[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (next < questions.length) {
      const index = next++;
      const message = await ask(port, questions[index]).catch((error) => {
        throw new Error(`port ${port}: ${questions[index].title}`, { cause: error });
      });
      answers[index] = { message, atMs: performance.now() };
    }
  }));
  return answers.map((answer, i) => {
    const { key } = questions[i];
    return { ...answer, askedUpstream: front.count(key) > (before.get(key) ?? 0) };
  });
}

function describe(aspect: string, { asked, pass, unbound, outrigger }: Comparison): string {
  const show = ({ message, askedUpstream }: Comparison["unbound"]) => {
    const { rcode, flags, sections, octets } = message;
    const records = sections.map((section) =>
      section.slice(0, 4).map((record) => `${record.ttl} ${textOf(record)}`.slice(0, 150))
    );
    const counts = sections.map(({ length }) => length).join("+");
    return `${rcode} [${flags.join(" ")}] ${counts} ${octets} octets` +
      `${askedUpstream ? " asked" : ""} ${JSON.stringify(records)}`;
  };
  return `${aspect}: ${asked.title}, ${pass}\n  unbound   ${show(unbound)}\n  outrigger ${
    show(outrigger)
  }`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
