/**
 * Whether a version that was just put in place does what the one before did: it starts in time, is the
 * version that it should be, answers queries of its own and of the mesh, is ready, and stays so.
 *
 * @module
 */
import type { Config } from "../config/config.ts";
import type { NamesReport, StatusReport } from "../health/api.ts";
import { messageOf } from "../system/agent_error.ts";
import { sleep } from "../system/clock.ts";
import { SERVICE, type Upgrade } from "../../installer/upgrade.ts";
import type { UpgradeChanges } from "../../installer/upgrade_plan.ts";
import type { CommandContext } from "./command_context.ts";
import { askServer } from "./dns_stub.ts";
import { captureRequest } from "./machine.ts";

/** What the version of before did. */
export interface Before {
  /** Whether the service ran. */
  isActive: boolean;
  /** Whether it was ready. */
  isReady: boolean;
  /** A host of the mesh that it answered for. */
  host: { name: string; type: "A" | "AAAA" } | undefined;
}

/**
 * How long the first answer may take from the restart on: queries wait so long, and a stub gives up after 5 s;
 * going back takes half a second. A start takes 0.3 to 1 s, and a unit of it 5 s at most.
 */
const START_MS = 3_000;
/** How long the new version has to go on: what hangs once it is ready does it soon. */
const SETTLE_MS = 3_000;
const POLL_MS = 100;
const forever = new AbortController().signal;

/** Looks what the agent does that runs now. */
export async function lookBefore(config: Config, context: CommandContext): Promise<Before> {
  const { runProgram } = context.machine();
  const isActive = (await runProgram(["systemctl", "is-active", "--quiet", SERVICE])).code === 0;
  if (!isActive) return { isActive, isReady: false, host: undefined };
  const { names, waitingFor } = await statusOf(config, context).catch(() => ({
    names: { hosts: 0 },
    waitingFor: ["its status"],
  }));
  const host = names.hosts === 0
    ? undefined
    : await meshHost(config, context).catch(() => undefined);
  return { isActive, isReady: waitingFor.length === 0, host };
}

/** The first host of the table that is answered with an address. */
async function meshHost(config: Config, context: CommandContext): Promise<Before["host"]> {
  const { names } = await context.fetch(`http://${config.health.listen}/api/v1/names?limit=20`)
    .then((response) => response.json() as Promise<NamesReport>);
  for (const { host: name } of names.filter(({ host, served }) => served && host[0] !== "*")) {
    for (const type of ["A", "AAAA"] as const) {
      const host = { name, type };
      if (await isAnswered(host, { config, context })) return host;
    }
  }
}

/** Restarts the service, and looks. @returns what is wrong; undefined where all is well */
export async function findFault(
  upgrade: Upgrade,
  { before, version, changes, config, context }: {
    before: Before;
    version: string;
    changes: UpgradeChanges;
    config: Config;
    context: CommandContext;
  },
): Promise<string | undefined> {
  const { runProgram, world: { clock } } = context.machine();
  const endMs = clock.monotonicMs() + START_MS;
  const inTime = <T>(work: Promise<T>, otherwise: T): Promise<T> =>
    Promise.race([
      work,
      sleep(clock, Math.max(0, endMs - clock.monotonicMs()), forever).then(() => otherwise),
    ]);
  const starting = new AbortController();
  const failure = await inTime(
    // systemd 254 and later start it again and again, and tell only at the end.
    Promise.race([upgrade.restart(changes), crash(context, starting.signal)]),
    `it is not ready after ${START_MS} ms`,
  ).finally(() => starting.abort());
  if (failure !== undefined) return failure;
  const check = () => faultNow({ before, version, config, context });
  let fault = await inTime(check(), "it answers nothing");
  while (fault !== undefined && clock.monotonicMs() < endMs) {
    await sleep(clock, POLL_MS, forever);
    fault = await inTime(check(), fault);
  }
  if (fault !== undefined) return fault;
  const mainPid = async () =>
    (await runProgram(["systemctl", "show", "--property=MainPID", SERVICE])).stdout.trim();
  const pid = await mainPid();
  const settledMs = clock.monotonicMs() + SETTLE_MS;
  while (clock.monotonicMs() < settledMs) {
    await sleep(clock, POLL_MS * 3, forever);
    const unanswered = sleep(clock, 1_000, forever).then(() => "it does not answer any more");
    fault = await Promise.race([check(), unanswered]);
    if (fault !== undefined) return fault;
    if (await mainPid() !== pid) return "it ended by itself, and was started again";
  }
}

/** Ends when the service was started again by itself. */
async function crash(context: CommandContext, signal: AbortSignal): Promise<string | undefined> {
  const { runProgram, world: { clock } } = context.machine();
  const restarts = async () => {
    const { stdout } = await runProgram(["systemctl", "show", "--property=NRestarts", SERVICE]);
    return Number(stdout.trim().split("=")[1]);
  };
  const before = await restarts();
  while (!signal.aborted) {
    await sleep(clock, POLL_MS, signal).catch(() => {});
    const now = await restarts();
    // A start by hand counts from 0 again.
    if (now > 0 && now !== before) return "it ends by itself at its start";
  }
}

async function faultNow(
  { before, version, config, context }: {
    before: Before;
    version: string;
    config: Config;
    context: CommandContext;
  },
): Promise<string | undefined> {
  if (!await isAnswered({ name: "localhost", type: "A" }, { config, context })) {
    return "it does not answer for localhost";
  }
  const { host, isReady } = before;
  if (host !== undefined && !await isAnswered(host, { config, context })) {
    return `it does not answer for ${host.name}, as the one before did`;
  }
  try {
    const status = await statusOf(config, context);
    if (status.version !== version) return `what runs is ${status.version}`;
    if (isReady && status.waitingFor.length > 0) {
      return `it is not ready, as the one before was: it waits for ${status.waitingFor.join(", ")}`;
    }
  } catch (error) {
    return `its health endpoint does not answer: ${messageOf(error)}`;
  }
}

async function statusOf(config: Config, context: CommandContext): Promise<StatusReport> {
  const response = await context.fetch(`http://${config.health.listen}/api/v1/status`);
  return await response.json();
}

async function isAnswered(
  question: { name: string; type: string },
  { config, context }: { config: Config; context: CommandContext },
): Promise<boolean> {
  const { dns } = captureRequest(config).settings;
  try {
    return (await askServer(dns, question, context.machine().world)).data.length > 0;
  } catch {
    return false;
  }
}
