import assert from "node:assert/strict";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import type { DnsScope } from "./dns_scope.ts";
import { LINKS_FOLDER, REMEMBERED_MS, RememberedLinks } from "./remembered_links.ts";

const scope = (link: number): DnsScope => ({
  source: `link ${link}`,
  link,
  servers: [{ address: `192.0.2.${link}` }],
  domains: [],
});

/** The kernel's files of links, by name: their index and state. */
function links(states: Record<string, [index: number, state: string]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(states).flatMap(([name, [index, state]]) => [
      [`${LINKS_FOLDER}/${name}/ifindex`, `${index}\n`],
      [`${LINKS_FOLDER}/${name}/operstate`, `${state}\n`],
    ]),
  );
}

Deno.test("RememberedLinks.recall() tells of links that are there", async (t) => {
  const eth0: [number, string] = [2, "up"];
  const cases: [title: string, files: Record<string, string>, known: number[]][] = [
    ["both", links({ lo: [1, "unknown"], eth0, vpn0: [3, "unknown"] }), [2, 3]],
    ["one that is gone", links({ eth0 }), [2]],
    ["one that came again as another", links({ eth0, vpn0: [4, "unknown"] }), [2]],
    ["one that is down", links({ eth0, vpn0: [3, "down"] }), [2]],
    ["one without a carrier", links({ eth0, vpn0: [3, "lowerlayerdown"] }), [2]],
    ["beside a file", { ...links({ eth0 }), [`${LINKS_FOLDER}/bonding_masters`]: "\n" }, [2]],
    ["where nobody can see", {}, [2, 3]],
  ];
  for (const [title, files, known] of cases) {
    await t.step(title, async () => {
      const remembered = new RememberedLinks({
        files: new MemoryFiles(files),
        clock: new ManualClock(),
      });
      assert.equal(await remembered.recall(), undefined);
      remembered.replace([scope(2), scope(3)]);
      const { scopes } = (await remembered.recall())!;
      assert.deepEqual(scopes, known.map(scope));
    });
  }
});

Deno.test("RememberedLinks.recall() forgets after an hour in which nothing was told", async () => {
  const clock = new ManualClock();
  const remembered = new RememberedLinks({ files: new MemoryFiles(), clock });
  remembered.replace([scope(2)]);
  await clock.advance(REMEMBERED_MS);
  assert.deepEqual(await remembered.recall(), { scopes: [scope(2)], ageMs: REMEMBERED_MS });
  await clock.advance(1);
  assert.equal(await remembered.recall(), undefined);
  remembered.replace([]);
  assert.deepEqual(await remembered.recall(), { scopes: [], ageMs: 0 });
});
