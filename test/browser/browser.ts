/**
 * Debian's Chromium, with a profile of its own: it knows the names and trusts the authorities that it is
 * told of, and nothing else is reachable from it.
 *
 * @module
 */
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { runToEnd } from "../support/child_process.ts";
import { requirePrograms } from "../support/required_programs.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** How it is started. */
export interface BrowserOptions {
  /** A name that leads to loopback; no other does. */
  host: string;
  /** PEM file of an authority that is trusted beside the usual ones. */
  authority?: string;
  /** Whether pages may run scripts; unless given they may. */
  javaScriptEnabled?: boolean;
}

/** A page that was opened, and what came of it. */
export interface OpenedPage {
  /** The page. */
  page: Page;
  /** What was written to the console, and not caught. */
  complaints: string[];
  /** All that was asked for. */
  requests: string[];
}

/** One browser. */
export class Browser implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #all: AsyncDisposableStack;

  private constructor(context: BrowserContext, all: AsyncDisposableStack) {
    this.#context = context;
    this.#all = all;
  }

  /** Starts it. */
  static async start(
    { host, authority, javaScriptEnabled = true }: BrowserOptions,
  ): Promise<Browser> {
    await requirePrograms([
      { program: CHROMIUM, package: "chromium" },
      { program: "certutil", package: "libnss3-tools" },
    ]);
    await using undo = new AsyncDisposableStack();
    const home = undo.use(await TemporaryDirectory.make()).path;
    const database = join(home, ".pki/nssdb");
    await Deno.mkdir(database, { recursive: true });
    const certutil = (...args: string[]) =>
      runToEnd("certutil", ["-d", `sql:${database}`, ...args]);
    await certutil("-N", "--empty-password");
    if (authority !== undefined) {
      await certutil("-A", "-n", "outrigger", "-t", "C,,", "-i", authority);
    }
    const rules = `MAP ${host} 127.0.0.1, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND`;
    const context = await chromium.launchPersistentContext(join(home, "profile"), {
      executablePath: CHROMIUM,
      args: [...FLAGS, `--host-resolver-rules=${rules}`],
      env: { ...Deno.env.toObject(), HOME: home, TMPDIR: home },
      javaScriptEnabled,
    });
    undo.defer(() => context.close());
    return new Browser(context, undo.move());
  }

  /** Opens a page. @throws where it cannot be had */
  async open(url: string): Promise<OpenedPage> {
    const page = await this.#context.newPage();
    const [complaints, requests]: string[][] = [[], []];
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(url, { waitUntil: "load" });
    return { page, complaints, requests };
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all.disposeAsync();
  }
}
