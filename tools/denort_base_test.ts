import assert from "node:assert/strict";
import { whyNoBase } from "./denort_base.ts";

Deno.test("whyNoBase() tells a base that cannot be had from every other failure", () => {
  const unreachable = [
    "Download https://example.org/denort.zip",
    "error: Writing deno compile executable to temporary file 'dist/outrigger.tmp-1'",
    "",
    "Caused by:",
    "    0: Setting up base binary.",
    "    1: error sending request for url (https://example.org/denort.zip): dns error",
    "    2: dns error",
  ];
  assert.match(whyNoBase(unreachable.join("\n"))!, /^error sending request .* dns error$/);
  assert.equal(whyNoBase("Caused by:\n    0: Setting up base binary.\n"), "no reason given");
  assert.equal(whyNoBase("error: Module not found"), undefined);
  assert.equal(
    whyNoBase("error: Writing deno compile executable\n\nCaused by:\n    0: No space left"),
    undefined,
  );
});
