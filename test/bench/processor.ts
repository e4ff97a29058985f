/**
 * Where CPU time went, from /proc.
 *
 * @module
 */

/** Ticks of one core so far. */
export interface CoreTicks {
  /** Spent on something. */
  busy: number;
  /** All. */
  all: number;
}

/** Reads a core's line of /proc/stat. @throws where there is none */
export function parseCoreTicks(stat: string, core: number): CoreTicks {
  const line = new RegExp(`^cpu${core} (.*)$`, "m").exec(stat);
  if (line === null) throw new Error(`There is no core ${core}`);
  const [user, nice, system, idle, ioWait, irq, softIrq, steal] = line[1].split(" ").map(Number);
  const busy = user + nice + system + irq + softIrq;
  return { busy, all: busy + idle + ioWait + steal };
}

/** How busy a core was between two readings, of 1. */
export function busyBetween(before: CoreTicks, after: CoreTicks): number {
  return (after.busy - before.busy) / Math.max(1, after.all - before.all);
}

/** Ticks of a core until now. */
export async function coreTicks(core: number): Promise<CoreTicks> {
  return parseCoreTicks(await Deno.readTextFile("/proc/stat"), core);
}

/** Waits until a core has had little to do for a moment, or for as long as that may take. */
export async function untilQuiet(core: number, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs) {
    const before = await coreTicks(core);
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (busyBetween(before, await coreTicks(core)) <= 0.05) return;
  }
}

/** Nanoseconds that each thread of a process ran so far, by thread id. */
export type ThreadTimes = ReadonlyMap<string, number>;

/**
 * Reads the scheduler's own account (`/proc/PID/task/TID/schedstat`), which counts nanoseconds where
 * utime and stime count ticks of 10 ms. It is exact once a thread has gone to sleep.
 */
export async function threadTimes(pid: number): Promise<ThreadTimes> {
  const times = new Map<string, number>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${name}/schedstat`).catch(() => "");
    if (text !== "") times.set(name, Number(text.split(" ")[0]));
  }
  return times;
}

/** What all threads ran between two readings; one that ended meanwhile is not counted. */
export function nanosecondsBetween(before: ThreadTimes, after: ThreadTimes): number {
  let sum = 0;
  for (const [thread, ns] of after) sum += ns - (before.get(thread) ?? 0);
  return sum;
}
