import assert from "node:assert/strict";
import { CODE_CACHE, loadProgram, PROGRAM, runProgram } from "./program_loader.ts";

Deno.test("loadProgram() reads what V8 has compiled, and compiles where that is not V8's own", async () => {
  const folder = await Deno.makeTempDir();
  const given = `globalThis.__given=[require("node:path").sep,address]`;
  // What V8 has compiled in this process it does not compile again: so each text is another one. V8 knows
  // a cache's text by its length alone.
  let texts = 10;
  const write = () =>
    Deno.writeTextFile(
      `${folder}/${PROGRAM}`,
      `/*${texts++}*/(function(require,address){${given}})`,
    );
  const cases: [string, (own: Uint8Array) => Uint8Array, boolean][] = [
    ["its own", (own) => own, false],
    ["cut short", (own) => own.subarray(0, 40), true],
    ["another version's", (own) => own.map((octet, i) => i < 16 ? octet ^ 1 : octet), true],
  ];
  try {
    for (const [what, changed, rejected] of cases) {
      await write();
      const compiled = loadProgram(folder, { cached: false }).createCachedData();
      await Deno.writeFile(`${folder}/${CODE_CACHE}`, changed(new Uint8Array(compiled)));
      await write();
      const script = loadProgram(folder, { cached: true });
      assert.equal(script.cachedDataRejected, rejected, what);
      runProgram(script, "file:///outrigger/main.js");
      assert.deepEqual(Reflect.get(globalThis, "__given"), ["/", "file:///outrigger/main.js"]);
      Reflect.deleteProperty(globalThis, "__given");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
