import assert from "node:assert/strict";
import { binaryFileName, findSum, isVersion, releaseUrl } from "./downloads.ts";

const [A, B] = ["a".repeat(64), "B".repeat(64)];

Deno.test("findSum() reads what sha256sum writes", () => {
  const sums = `${A}  outrigger-linux-x64\n${B} *./install.sh\r\nnonsense\n`;
  assert.equal(findSum(sums, "outrigger-linux-x64"), A);
  assert.equal(findSum(sums, "install.sh"), B.toLowerCase());
  assert.equal(findSum(sums, "outrigger-linux-x6"), undefined);
  assert.equal(findSum("", "install.sh"), undefined);
});

Deno.test("binaryFileName() and releaseUrl() say where a version lies", () => {
  assert.equal(binaryFileName("x64"), "outrigger-linux-x64");
  assert.equal(releaseUrl("https://example.org/a/", "0.2.0"), "https://example.org/a/0.2.0");
});

for (
  const [text, expected] of [
    ["0.2.0", true],
    ["1.10.3-rc.1", true],
    ["0.2", false],
    ["../../etc/passwd", false],
    ["./0.2.0", false],
    ["outrigger", false],
  ] as const
) {
  Deno.test(`isVersion() says ${expected} of ${text}`, () => {
    assert.equal(isVersion(text), expected);
  });
}
