import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { MemoryDisk } from "../../test/support/memory_disk.ts";
import { CredentialStore } from "./credential_store.ts";
import { SavedTable } from "./saved_table.ts";

const TABLE = "/state/name-table.bin";
const CREDENTIALS = "/state/credentials.json";
const BYTES = "the table";
const HEADER = {
  format: "outrigger-name-table/1",
  version: "41",
  receivedAt: "2026-11-01T00:00:00.000Z",
  sha256: createHash("sha256").update(BYTES).digest("hex"),
};
const KEYS = { version: 1, key: "a key", chain: ["a certificate"], roots: [] };
const PASSED_OVER = /newer version of outrigger \(format 2; this version reads up to 1\)/;

function setUp() {
  const clock = new ManualClock();
  const files = new MemoryDisk(clock);
  const options = { stateDir: "/state", files, clock };
  return { files, table: new SavedTable(options), credentials: new CredentialStore(options) };
}

for (
  const [what, header, version] of [
    ["of this format", HEADER, "41"],
    ["with a field that a later version added", { ...HEADER, compression: "none" }, "41"],
    ["of a newer format", { ...HEADER, format: "outrigger-name-table/2" }, undefined],
    ["of a newer format, whose fields are others", { format: "outrigger-name-table/2" }, undefined],
    ["of another program", { ...HEADER, format: "something/1" }, undefined],
  ] as const
) {
  Deno.test(`SavedTable.load() of a table ${what}`, async () => {
    const { files, table } = setUp();
    const text = `${JSON.stringify(header)}\n${BYTES}`;
    files.write(TABLE, text);
    assert.equal((await table.load())?.version, version);
    assert.equal(table.problem === undefined, version !== undefined);
    if (what.includes("newer")) assert.match(table.problem!.message, PASSED_OVER);
    assert.equal(await files.readText(TABLE), text, "it stays as it is");
  });
}

for (
  const [what, keys, isRead] of [
    ["of this format", KEYS, true],
    ["with a field that a later version added", { ...KEYS, hardware: false }, true],
    ["of a newer format", { version: 2, sealed: "x" }, false],
  ] as const
) {
  Deno.test(`CredentialStore.load() of credentials ${what}`, async () => {
    const { files, credentials } = setUp();
    const text = JSON.stringify(keys);
    files.write(CREDENTIALS, text);
    const loaded = await credentials.load();
    if (isRead) assert.deepEqual(loaded, { key: "a key", chain: ["a certificate"], roots: [] });
    else assert.match(String(loaded), PASSED_OVER);
    assert.equal(await files.readText(CREDENTIALS), text, "they stay as they are");
  });
}
