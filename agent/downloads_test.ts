import assert from "node:assert/strict";
import { binaryFileName, findSum, isVersion } from "./downloads.ts";

const [A, B] = ["a".repeat(64), "B".repeat(64)];

Deno.test("findSum() reads what sha256sum writes", () => {
  const sums = `${A}  outrigger-0.2.0-linux-x64\n${B} *./install.sh\r\nnonsense\n`;
  assert.equal(findSum(sums, "outrigger-0.2.0-linux-x64"), A);
  assert.equal(findSum(sums, "install.sh"), B.toLowerCase());
  assert.equal(findSum(sums, "outrigger-0.2.0-linux-x6"), undefined);
  assert.equal(findSum("", "install.sh"), undefined);
});

Deno.test("binaryFileName() names version and architecture", () => {
  assert.equal(
    binaryFileName({ version: "0.2.0", architecture: "x64" }),
    "outrigger-0.2.0-linux-x64",
  );
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
