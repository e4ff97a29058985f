/**
 * How outrigger's units are, from what systemctl prints. Pure.
 *
 * @module
 */

/** One unit. */
export interface UnitState {
  /** `active`, `inactive`, `failed`, `activating`, … */
  active: string;
  /** E.g. `running`, `auto-restart`, `dead`. */
  sub: string;
  /** Why it failed: `exit-code`, `watchdog`, `start-limit-hit`, …; `success` where it did not. */
  result: string;
  /** Starts that followed a crash. */
  restarts: number;
  /** Exit code of its last run. */
  exitCode: number;
  /** When that ended; empty where it never did. */
  endedAt: string;
}

/** The units that lookups depend on. */
export const WATCHED_UNITS = [
  "outrigger.socket",
  "outrigger-ipv6.socket",
  "outrigger.service",
  "outrigger-capture.service",
  "outrigger-capture.path",
  "outrigger-capture.timer",
  "outrigger-release.service",
  "outrigger-retry.timer",
] as const;

/** What is asked for with `systemctl show --property=`. */
export const UNIT_PROPERTIES = [
  "Id",
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "NRestarts",
  "ExecMainStatus",
  "ExecMainExitTimestamp",
] as const;

/** Blocks of `PROPERTY=value`, parted by empty lines; units that are not there are left out. */
export function parseUnitStates(text: string): Map<string, UnitState> {
  const units = new Map<string, UnitState>();
  for (const block of text.split(/\n\n+/)) {
    const values = new Map(
      block.split("\n").flatMap((line) => {
        const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, value]];
      }),
    );
    const get = (name: typeof UNIT_PROPERTIES[number]) => values.get(name) ?? "";
    if (get("Id") === "" || get("LoadState") !== "loaded") continue;
    units.set(get("Id"), {
      active: get("ActiveState"),
      sub: get("SubState"),
      result: get("Result"),
      restarts: Number(get("NRestarts")) || 0,
      exitCode: Number(get("ExecMainStatus")) || 0,
      endedAt: get("ExecMainExitTimestamp"),
    });
  }
  return units;
}

/** The first point in time of `systemctl list-timers`, e.g. `Wed 2026-11-25 17:07:34 UTC`; empty without one. */
export function parseNextElapse(text: string): string {
  return /^\s*(\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+)/m.exec(text)?.[1] ?? "";
}
