import assert from "node:assert/strict";
import { isContainerBridge } from "./container_bridges.ts";

const cases: [name: string, expected: boolean][] = [
  ["docker0", true],
  ["br-0123456789ab", true],
  ["podman0", true],
  ["cni-podman0", true],
  ["nerdctl0", true],
  ["eth0", false],
  ["virbr0", false],
  ["br-lan", false],
  ["docker0.5", false],
];
for (const [name, expected] of cases) {
  Deno.test(`isContainerBridge() of ${name} is ${expected}`, () => {
    assert.equal(isContainerBridge(name), expected);
  });
}
