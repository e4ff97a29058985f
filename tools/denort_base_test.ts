import assert from "node:assert/strict";
import { ELF_PARTS, elfFile } from "../test/support/elf_file.ts";
import { baseBinary, type BasePlaces } from "./denort_base.ts";
import { DownloadError } from "./denort_download.ts";
import { NoBaseError } from "./denort_fallback.ts";

const X64 = "x86_64-unknown-linux-gnu";
const ARM64 = "aarch64-unknown-linux-gnu";
const AARCH64_MACHINE = 183;

/** Places of which the named ones have a base binary, what was asked of them, and what was said. */
function placesWith(
  has: readonly (keyof BasePlaces)[],
  { machine, fault = new DownloadError("not reached") }: { machine?: number; fault?: Error } = {},
): { places: BasePlaces; print: (line: string) => void; asked: string[]; lines: string[] } {
  const asked: string[] = [];
  const lines: string[] = [];
  const place = (name: keyof BasePlaces, failure: Error) => (target: string) => {
    asked.push(`${name} ${target}`);
    return has.includes(name) ? Promise.resolve(elfFile(machine)) : Promise.reject(failure);
  };
  const env = place("env", new Error("unset"));
  return {
    asked,
    lines,
    print: (line) => void lines.push(line),
    places: {
      env: (target) => env(target).catch(() => undefined),
      deno: place("deno", fault),
      fallback: place("fallback", new Error("no npm")),
    },
  };
}

Deno.test("baseBinary() takes the first that can be had: DENORT_BIN, Deno's download, the fallback", async () => {
  const cases: [(keyof BasePlaces)[], string, string[]][] = [
    [["env", "deno", "fallback"], "env", [`env ${X64}`]],
    [["deno", "fallback"], "deno", [`env ${X64}`, `deno ${X64}`]],
    [["fallback"], "fallback", [`env ${X64}`, `deno ${X64}`, `fallback ${X64}`]],
  ];
  for (const [has, expected, expectedAsked] of cases) {
    const options = placesWith(has);
    const { origin } = await baseBinary(X64, options);
    assert.deepEqual([origin, options.asked], [expected, expectedAsked]);
    assert.deepEqual(
      options.lines,
      origin === "fallback" ? ["Deno's own base binary cannot be had: not reached"] : [],
    );
  }
  await assert.rejects(baseBinary(X64, placesWith([])), /no npm/);
});

Deno.test("baseBinary() takes no fallback for a download that was changed", async () => {
  const options = placesWith(["fallback"], { fault: new Error("another sum") });
  await assert.rejects(baseBinary(X64, options), /another sum/);
  assert.deepEqual(options.asked, [`env ${X64}`, `deno ${X64}`]);
});

Deno.test("baseBinary() takes the symbols out, wherever it comes from", async () => {
  for (const origin of ["env", "deno", "fallback"] as const) {
    const { octets } = await baseBinary(X64, placesWith([origin]));
    const text = new TextDecoder().decode(octets);
    assert.ok(text.includes(ELF_PARTS.text) && !text.includes(ELF_PARTS.symbols), origin);
  }
});

Deno.test("baseBinary() refuses a base for another machine", async (t) => {
  const cases: [string, number, string, RegExp][] = [
    ["x86_64 for arm64", 62, ARM64, /base binary \(env\) is for x86_64, not aarch64-unknown/],
    ["arm64 for x86_64", AARCH64_MACHINE, X64, /is for aarch64, not x86_64-unknown/],
    ["another machine", 243, X64, /is for something else, not x86_64-unknown/],
  ];
  for (const [title, machine, target, reason] of cases) {
    await t.step(title, async () => {
      await assert.rejects(
        baseBinary(target, placesWith(["env"], { machine })),
        (error) => error instanceof NoBaseError && reason.test(error.message),
      );
    });
  }
  const { octets } = await baseBinary(
    ARM64,
    placesWith(["env"], { machine: AARCH64_MACHINE }),
  );
  assert.equal(octets[18], AARCH64_MACHINE);
});
