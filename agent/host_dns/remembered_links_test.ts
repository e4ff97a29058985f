import assert from "node:assert/strict";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import type { DnsScope } from "./dns_scope.ts";
import { REMEMBERED_MS, RememberedLinks, UP_LINKS } from "./remembered_links.ts";

const scope = (link: number): DnsScope => ({
  source: `link ${link}`,
  link,
  servers: [{ address: `192.0.2.${link}` }],
  domains: [],
});

/** The kernel's list of links that are up. */
function upLinks(...links: [index: number, name: string][]): Record<string, string> {
  const lines = links.map(([index, name]) =>
    `${index}\t${name}      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n`
  );
  return { [UP_LINKS]: `Idx\tDevice    : Count Querier\tGroup    Users Timer\n${lines.join("")}` };
}

Deno.test("RememberedLinks.recall() tells of links that are up", async (t) => {
  const cases: [title: string, files: Record<string, string>, known: number[]][] = [
    ["both", upLinks([1, "lo"], [2, "eth0"], [3, "vpn0"]), [2, 3]],
    ["one that is gone or down", upLinks([1, "lo"], [2, "eth0"]), [2]],
    ["one that came again as another", upLinks([2, "eth0"], [4, "vpn0"]), [2]],
    ["an index that others begin with", upLinks([2, "eth0"], [33, "vpn0"]), [2]],
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
