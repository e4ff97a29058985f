import assert from "node:assert/strict";
import { FixedRandom } from "../test/support/fixed_random.ts";
import { ManualClock } from "../test/support/manual_clock.ts";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { systemFiles } from "../agent/system/files.ts";
import { StateFileError } from "./errors.ts";
import { JoinTokens } from "./join_tokens.ts";

const WORKLOAD = { namespace: "vm", serviceAccount: "vm-sa" };
const VALID = { kind: "valid", workload: WORKLOAD };

async function withTokens(
  body: (tools: {
    clock: ManualClock;
    folder: string;
    open: () => JoinTokens;
  }) => Promise<void>,
): Promise<void> {
  await using directory = await TemporaryDirectory.make();
  const clock = new ManualClock();
  const random = new FixedRandom();
  const open = () =>
    new JoinTokens({ stateDir: directory.path, files: systemFiles, clock, random });
  await body({ clock, folder: `${directory.path}/join-tokens`, open });
}

Deno.test("JoinTokens.redeem() takes as many keys as the token is for, each any number of times", () =>
  withTokens(async ({ open }) => {
    const tokens = open();
    for (const uses of [1, 3]) {
      const token = await tokens.create(WORKLOAD, { ttlSeconds: 60, uses });
      const keys = Array.from({ length: uses }, (_, i) => `key ${i}`);
      for (const key of [...keys, ...keys]) {
        assert.deepEqual(await tokens.redeem(token, key), VALID);
      }
      assert.deepEqual(await tokens.redeem(token, "another"), { kind: "spent", uses });
      assert.deepEqual(await open().redeem(token, "another"), { kind: "spent", uses });
      assert.deepEqual(await open().redeem(token, "key 0"), VALID);
      assert.deepEqual(await tokens.redeem(token, undefined), { kind: "spent", uses });
    }
  }));

Deno.test("JoinTokens.redeem() gives the last use to one of those who come at once", () =>
  withTokens(async ({ open }) => {
    const tokens = open();
    const token = await tokens.create(WORKLOAD, { ttlSeconds: 60, uses: 2 });
    const verdicts = await Promise.all(
      ["a", "b", "c", "d"].map((key) => tokens.redeem(token, key)),
    );
    assert.deepEqual(verdicts.map(({ kind }) => kind), ["valid", "valid", "spent", "spent"]);
  }));

Deno.test("JoinTokens.redeem() only looks up without a key, and knows no other token", () =>
  withTokens(async ({ open, clock }) => {
    const tokens = open();
    const token = await tokens.create(WORKLOAD, { ttlSeconds: 60 });
    assert.deepEqual(await tokens.redeem(token, undefined), VALID);
    assert.deepEqual(await tokens.redeem(token, "key"), VALID);
    assert.deepEqual(await tokens.redeem(`${token}x`, "key"), { kind: "unknown" });
    assert.deepEqual(await tokens.redeem("../../etc/passwd", "key"), { kind: "unknown" });
    await clock.advance(60_000);
    assert.equal((await tokens.redeem(token, "key")).kind, "expired");
  }));

Deno.test("JoinTokens.create() forgets those that ended a day ago, and nothing else", () =>
  withTokens(async ({ open, clock, folder }) => {
    const tokens = open();
    const old = await tokens.create(WORKLOAD, { ttlSeconds: 60 });
    await Deno.writeTextFile(`${folder}/notes.txt`, "mine");
    await clock.advance(3_600_000);
    const lasting = await tokens.create(WORKLOAD, { ttlSeconds: 30 * 86_400 });
    assert.equal((await tokens.redeem(old, "key")).kind, "expired");
    await clock.advance(86_400_000);
    await tokens.create(WORKLOAD, { ttlSeconds: 60 });
    assert.deepEqual(await tokens.redeem(old, "key"), { kind: "unknown" });
    assert.deepEqual(await tokens.redeem(lasting, "key"), VALID);
    assert.equal(await Deno.readTextFile(`${folder}/notes.txt`), "mine");
  }));

Deno.test("JoinTokens.redeem() refuses a damaged file, in words", () =>
  withTokens(async ({ open, folder }) => {
    const tokens = open();
    const token = await tokens.create(WORKLOAD, { ttlSeconds: 60 });
    const [{ name }] = await Array.fromAsync(Deno.readDir(folder));
    await Deno.writeTextFile(`${folder}/${name}`, "{");
    await assert.rejects(tokens.redeem(token, "key"), StateFileError);
    // Others go on.
    const other = await tokens.create(WORKLOAD, { ttlSeconds: 60 });
    assert.deepEqual(await tokens.redeem(other, "key"), VALID);
  }));
