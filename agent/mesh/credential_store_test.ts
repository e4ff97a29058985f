import assert from "node:assert/strict";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { MemoryDisk } from "../../test/support/memory_disk.ts";
import { CredentialStore } from "./credential_store.ts";

const CREDENTIALS = { key: "key", chain: ["leaf"], roots: ["root"] };
const ID = "0123456789abcdef0123456789abcdef\n";
const OTHER = "f123456789abcdef0123456789abcdef\n";

/** A machine with keys of its own, whose disk then is another's. */
async function machine(
  id: string | undefined,
  { then = id, transient = false }: { then?: string; transient?: boolean } = {},
) {
  const files = new MemoryDisk(new ManualClock());
  const store = new CredentialStore({ stateDir: "/state", files });
  if (id !== undefined) files.write("/etc/machine-id", id);
  if (transient) files.write("/run/machine-id", id!);
  await store.save(CREDENTIALS);
  await store.saveJoinKey("join key");
  if (then === undefined) await files.remove("/etc/machine-id");
  else files.write("/etc/machine-id", then);
  return { files, store };
}

Deno.test("CredentialStore.dropForeign() drops what another machine made, and nothing else", async (t) => {
  const cases: [string, Awaited<ReturnType<typeof machine>>, boolean][] = [
    ["the same machine", await machine(ID), false],
    ["a copy", await machine(ID, { then: OTHER }), true],
    ["a machine without an id", await machine(undefined), false],
    ["a machine that lost its id", await machine(ID, { then: "" }), false],
    ["an image whose id is yet to be made", await machine("uninitialized\n", { then: ID }), false],
    [
      "an id of this boot alone",
      await machine(ID, { then: OTHER, transient: true }),
      false,
    ],
  ];
  for (const [title, { store }, dropped] of cases) {
    await t.step(title, async () => {
      assert.equal(await store.dropForeign(), dropped);
      assert.deepEqual(await store.load(), dropped ? undefined : CREDENTIALS);
      assert.equal(await store.loadJoinKey(), dropped ? undefined : "join key");
      assert.equal(await store.dropForeign(), false);
    });
  }
});

Deno.test("CredentialStore keeps no machine's id", async () => {
  const { files } = await machine(ID);
  assert.ok(!(await files.readText("/state/credentials.json")).includes(ID.trim()));
});

Deno.test("CredentialStore.dropForeign() leaves what is damaged to who loads it", async () => {
  const { files, store } = await machine(ID, { then: OTHER });
  for (const text of ["{", "null", "[]", '{"machine":1}']) {
    files.write("/state/credentials.json", text);
    files.write("/state/join-key.json", text);
    assert.equal(await store.dropForeign(), false, text);
    assert.equal(typeof await store.load(), "string");
    assert.equal(await store.loadJoinKey(), undefined);
  }
});
