import assert from "node:assert/strict";
import { type ServiceVariables, takeServiceVariables } from "./service_variables.ts";

const PID = 42;

Deno.test("takeServiceVariables() takes what is meant for this process", async (t) => {
  const cases: [string, Record<string, string>, ServiceVariables][] = [
    ["started by hand", {}, { descriptors: [] }],
    [
      "everything",
      {
        NOTIFY_SOCKET: "/run/systemd/notify",
        WATCHDOG_USEC: "5000000",
        WATCHDOG_PID: "42",
        LISTEN_FDS: "2",
        LISTEN_PID: "42",
        LISTEN_FDNAMES: "dns:dns6",
      },
      {
        notifySocket: "/run/systemd/notify",
        watchdogMs: 5_000,
        descriptors: [{ fd: 3, name: "dns" }, { fd: 4, name: "dns6" }],
      },
    ],
    [
      "sockets without names",
      { LISTEN_FDS: "1", LISTEN_PID: "42" },
      { descriptors: [{ fd: 3, name: "" }] },
    ],
    ["sockets of another process", { LISTEN_FDS: "1", LISTEN_PID: "7" }, { descriptors: [] }],
    ["sockets of nobody", { LISTEN_FDS: "1" }, { descriptors: [] }],
    [
      "no number of sockets",
      { LISTEN_FDS: "-1", LISTEN_PID: "42" },
      { descriptors: [] },
    ],
    [
      "too large a number of sockets",
      { LISTEN_FDS: "4294967295", LISTEN_PID: "42" },
      { descriptors: [] },
    ],
    [
      "a watchdog for whoever can notify",
      { NOTIFY_SOCKET: "@name", WATCHDOG_USEC: "1500000" },
      { notifySocket: "@name", watchdogMs: 1_500, descriptors: [] },
    ],
    [
      "a watchdog of another process",
      { NOTIFY_SOCKET: "@name", WATCHDOG_USEC: "1500000", WATCHDOG_PID: "7" },
      { notifySocket: "@name", descriptors: [] },
    ],
    ["a watchdog that nobody hears", { WATCHDOG_USEC: "1500000" }, { descriptors: [] }],
    [
      "no time",
      { NOTIFY_SOCKET: "@name", WATCHDOG_USEC: "soon" },
      { notifySocket: "@name", descriptors: [] },
    ],
  ];
  for (const [title, variables, expected] of cases) {
    await t.step(title, () => {
      const environment = new Map(Object.entries({ ...variables, OUTRIGGER_LOG_LEVEL: "info" }));
      assert.deepEqual(takeServiceVariables(environment, PID), expected);
      assert.deepEqual([...environment.keys()], ["OUTRIGGER_LOG_LEVEL"]);
    });
  }
});
