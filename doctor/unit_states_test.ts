import assert from "node:assert/strict";
import { parseNextElapse, parseUnitStates } from "./unit_states.ts";

Deno.test("parseUnitStates() reads blocks, and leaves out units that are not there", () => {
  const units = parseUnitStates(`Id=outrigger.service
LoadState=loaded
ActiveState=failed
SubState=failed
Result=exit-code
NRestarts=5
ExecMainStatus=3
ExecMainExitTimestamp=Thu 2026-01-01 00:00:30 UTC

Id=outrigger-retry.timer
LoadState=not-found
ActiveState=inactive

Id=outrigger.socket
LoadState=loaded
ActiveState=active
SubState=listening
Result=success
`);
  assert.deepEqual([...units], [
    ["outrigger.service", {
      active: "failed",
      sub: "failed",
      result: "exit-code",
      restarts: 5,
      exitCode: 3,
      endedAt: "Thu 2026-01-01 00:00:30 UTC",
    }],
    ["outrigger.socket", {
      active: "active",
      sub: "listening",
      result: "success",
      restarts: 0,
      exitCode: 0,
      endedAt: "",
    }],
  ]);
  assert.deepEqual([...parseUnitStates("")], []);
  assert.deepEqual([...parseUnitStates("Failed to connect to bus\n\n\n=\nx")], []);
});

Deno.test("parseNextElapse() reads when a timer comes next, whatever the columns behind it", () => {
  const cases: [string, string][] = [
    [
      "Thu 2026-01-01 00:00:45 UTC 9s left n/a n/a outrigger-retry.timer outrigger-retry.service\n",
      "Thu 2026-01-01 00:00:45 UTC",
    ],
    ["- - - - outrigger-retry.timer outrigger-retry.service\n", ""],
    ["n/a n/a Thu 2026-01-01 00:00:45 UTC 9s ago outrigger-retry.timer x\n", ""],
    ["", ""],
  ];
  for (const [text, expected] of cases) assert.equal(parseNextElapse(text), expected, text);
});
