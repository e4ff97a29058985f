/**
 * What was changed on this VM, in a file: each step's inverse is in there, and durable, before the step is
 * carried out, so that whatever interrupts it, the next run finishes or undoes it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import * as z from "zod";
import { messageOf } from "../agent/system/agent_error.ts";
import { InstallError } from "./errors.ts";
import { carryOut, inverseOf, isInForce, type StepWorld } from "./step_actions.ts";
import { describeStep, type Inverse, isQuiet, keyOf, type Step } from "./steps.ts";
import { undo } from "./undo.ts";
import { undoScript } from "./undo_script.ts";

/** The journal of the installation. */
export const INSTALL_JOURNAL = "/var/lib/outrigger-install";
/** The journal of the capture. */
export const CAPTURE_JOURNAL = "/var/lib/outrigger-capture";

const nameserver = z.string().optional();
const inverse = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("restore file"),
    path: z.string(),
    existed: z.boolean(),
    ours: z.union([z.literal("any"), z.array(z.string())]),
    nameserver,
  }),
  z.strictObject({
    kind: z.literal("restore content"),
    path: z.string(),
    before: z.string(),
    ours: z.array(z.string()),
    nameserver,
  }),
  z.strictObject({ kind: z.literal("remove directory"), path: z.string() }),
  z.strictObject({ kind: z.literal("remove tree"), path: z.string() }),
  z.strictObject({
    kind: z.literal("run"),
    command: z.array(z.string()),
    input: z.string().optional(),
    onlyIf: z.array(z.string()).optional(),
  }),
  z.strictObject({ kind: z.literal("release capture") }),
]);
const content = z.strictObject({
  version: z.literal(1),
  /** Whether every step was carried out: else the next run takes none of them for granted. */
  finished: z.boolean(),
  /** The steps of the last plan that was carried out, also those that had nothing to do. */
  plan: z.array(z.string()),
  entries: z.array(z.strictObject({
    key: z.string(),
    /** For people. */
    what: z.string(),
    onlyPurge: z.boolean(),
    inverse: inverse.optional(),
  })),
});
type Content = z.output<typeof content>;

const EMPTY: Content = { version: 1, finished: true, plan: [], entries: [] };

/** What {@link Journal.apply} did. */
export interface Applied {
  /** The steps that had something to do. */
  changed: Step[];
}

/** One journal. */
export class Journal {
  readonly #folder: string;
  readonly #world: StepWorld;
  readonly #hasScript: boolean;
  #content: Content;

  private constructor(
    folder: string,
    world: StepWorld,
    { content, script }: { content: Content; script: boolean },
  ) {
    this.#folder = folder;
    this.#world = world;
    this.#hasScript = script;
    this.#content = content;
  }

  /**
   * Reads a journal; an empty one where there is none.
   *
   * @param options `script`: keeps a script beside it that undoes the same without this program
   * @throws {InstallError} when it is damaged
   */
  static async read(
    folder: string,
    world: StepWorld,
    { script = false } = {},
  ): Promise<Journal> {
    const path = join(folder, "journal.json");
    if (await world.tree.look(path) === undefined) {
      return new Journal(folder, world, { content: EMPTY, script });
    }
    try {
      const text = new TextDecoder().decode(await world.tree.readBytes(path));
      return new Journal(folder, world, { content: content.parse(JSON.parse(text)), script });
    } catch (cause) {
      throw new InstallError(
        "JOURNAL_DAMAGED",
        `Read ${path}, which says what outrigger changed on this machine: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  /** The inverses, in the order of their steps. */
  get inverses(): Inverse[] {
    return this.#content.entries.flatMap(({ inverse }) => inverse ?? []);
  }

  /** Whether nothing is changed, as far as this journal knows. */
  get isEmpty(): boolean {
    return this.#content.entries.length === 0;
  }

  /** Whether the last run came to its end. */
  get isFinished(): boolean {
    return this.#content.finished;
  }

  /** How many changes wait to be undone, without those that only `--purge` undoes. */
  get pending(): number {
    return this.#content.entries
      .filter(({ inverse, onlyPurge }) => inverse !== undefined && !onlyPurge).length;
  }

  /** Whether these very steps were carried out, and each is still in force. */
  async holds(steps: readonly Step[]): Promise<boolean> {
    const { finished, plan } = this.#content;
    if (!finished || plan.join() !== steps.map(digestOf).join()) return false;
    for (const step of steps) {
      if (isQuiet(step) || step.kind === "run" && step.unless === undefined) continue;
      if (!await isInForce(step, this.#world, false)) return false;
    }
    return true;
  }

  /** Carries out what is not in force yet. @throws {InstallError} when a step fails */
  async apply(
    steps: readonly Step[],
    onStep: (step: Step) => void = () => {},
  ): Promise<Applied> {
    const interrupted = !this.#content.finished;
    const changed: Step[] = [];
    for (const step of steps) {
      const already = await isInForce(step, this.#world, interrupted || changed.length > 0);
      const known = this.#content.entries.find(({ key }) => key === keyOf(step));
      if (already || isQuiet(step) && known !== undefined) continue;
      const next = await inverseOf(step, this.#world, known?.inverse as Inverse | undefined);
      await this.#note(step, next);
      if (isQuiet(step)) continue;
      onStep(step);
      await carryOut(step, next, this.#world);
      changed.push(step);
    }
    const plan = steps.map(digestOf);
    if (!this.#content.finished || this.#content.plan.join() !== plan.join()) {
      await this.#write({ ...this.#content, finished: true, plan });
    }
    return { changed };
  }

  /**
   * Undoes everything, the last step first, and removes itself. What fails stays, and is tried again by the
   * next run; the rest is undone all the same.
   *
   * @returns what failed
   */
  async undo({ purge }: { purge: boolean }): Promise<string[]> {
    const problems: string[] = [];
    const kept: Content["entries"] = [];
    const left = [...this.#content.entries];
    while (left.length > 0) {
      const entry = left.pop()!;
      if (entry.onlyPurge && !purge) {
        kept.unshift(entry);
        continue;
      }
      try {
        if (entry.inverse !== undefined) await undo(entry.inverse as Inverse, this.#world);
      } catch (error) {
        problems.push(messageOf(error));
        kept.unshift(entry);
        continue;
      }
      await this.#write({ ...this.#content, finished: false, entries: [...left, ...kept] });
    }
    await this.#clean();
    return problems;
  }

  async #note(step: Step, inverse: Inverse | undefined): Promise<void> {
    const key = keyOf(step);
    const entry: Content["entries"][number] = {
      key,
      what: describeStep(step),
      onlyPurge: step.onlyPurge ?? false,
      ...(inverse && { inverse: inverse as Content["entries"][number]["inverse"] }),
    };
    const { entries } = this.#content;
    const isKnown = entries.some((known) => known.key === key);
    await this.#write({
      ...this.#content,
      finished: false,
      entries: isKnown
        ? entries.map((known) => known.key === key ? entry : known)
        : [...entries, entry],
    });
  }

  async #write(next: Content): Promise<void> {
    const { tree } = this.#world;
    if (await tree.look(this.#folder) === undefined) {
      await tree.makeDirectory(this.#folder, { mode: 0o700 });
      await tree.sync(dirname(this.#folder));
    }
    if (this.#hasScript) {
      const inverses = next.entries.flatMap(({ inverse }) => inverse ?? []);
      await this.#replaceFile("undo.sh", undoScript(inverses as Inverse[]));
    }
    await this.#replaceFile("journal.json", `${JSON.stringify(next, null, 2)}\n`);
    await tree.sync(this.#folder);
    this.#content = next;
  }

  async #replaceFile(name: string, text: string): Promise<void> {
    const { tree } = this.#world;
    const path = join(this.#folder, name);
    await tree.remove(`${path}.new`);
    await tree.create(`${path}.new`, new TextEncoder().encode(text), { mode: 0o600 });
    await tree.rename(`${path}.new`, path);
  }

  /** A journal without entries leaves nothing behind. */
  async #clean(): Promise<void> {
    const { tree } = this.#world;
    if (!this.isEmpty || await tree.look(this.#folder) === undefined) return;
    await tree.removeTree(this.#folder);
    await tree.sync(dirname(this.#folder));
  }
}

function digestOf(step: Step): string {
  return createHash("sha256").update(JSON.stringify(step)).digest("hex");
}
