import assert from "node:assert/strict";
import type { Files } from "../agent/system/files.ts";
import {
  describePendingUpgrade,
  findPendingUpgrade,
  type PendingUpgrade,
} from "./pending_upgrade.ts";
import { ROLLBACK_SCRIPT, rollbackScript } from "./upgrade_plan.ts";

const CHANGES = { files: [], enabled: [], changesSockets: false };
const SCRIPT = rollbackScript(CHANGES, { from: "0.1.0", to: "0.2.0-rc.1+5" });
const PENDING: PendingUpgrade = { state: "pending", from: "0.1.0", to: "0.2.0", sinceMs: 1_000 };

/** Files with one script, written at 1,000 ms. */
function files(text: string | undefined): Pick<Files, "stat" | "readText"> {
  const facts = { mode: 0o700, sizeBytes: 0, modifiedMs: 1_000, isDirectory: false };
  return {
    stat: (path) =>
      Promise.resolve(text === undefined || path !== ROLLBACK_SCRIPT ? undefined : facts),
    readText: () => Promise.resolve(text ?? assert.fail("there is none")),
  };
}

Deno.test("findPendingUpgrade() finds the versions in the script that takes it back", async () => {
  assert.deepEqual(await findPendingUpgrade(files(SCRIPT)), {
    state: "pending",
    from: "0.1.0",
    to: "0.2.0-rc.1+5",
    sinceMs: 1_000,
  });
  const other = await findPendingUpgrade(files("#!/bin/sh\n"));
  assert.deepEqual(other, { state: "pending", from: "unknown", to: "unknown", sinceMs: 1_000 });
});

Deno.test("findPendingUpgrade() finds none, or says that it may not look", async () => {
  assert.deepEqual(await findPendingUpgrade(files(undefined)), { state: "none" });
  const denied = () => Promise.reject(new Deno.errors.PermissionDenied("os error 13"));
  const unseen = await findPendingUpgrade({ stat: denied, readText: denied });
  assert.deepEqual(unseen, { state: "unseen" });
});

Deno.test("describePendingUpgrade() says to wait until the deadline, and then how to go back", () => {
  for (const nowMs of [1_000, 90_999]) {
    const { message, remedy } = describePendingUpgrade(PENDING, nowMs);
    assert.equal(
      message,
      "This machine's upgrade from 0.1.0 to 0.2.0 is not confirmed: it is under way, or was interrupted",
    );
    assert.match(remedy, /^Wait for a minute: .*0\.1\.0 is back.*systemctl restart outrigger/);
  }
  const { message, remedy } = describePendingUpgrade(PENDING, 91_000);
  assert.match(
    message,
    /^This machine's upgrade from 0\.1\.0 to 0\.2\.0 was interrupted.* brings 0\.1\.0 back/,
  );
  assert.match(
    remedy,
    /^Go back now: .*sh \/var\/lib\/outrigger-upgrade\/rollback.* upgrade FILE$/,
  );
});
