import assert from "node:assert/strict";
import { vmContext } from "../../test/support/command_context.ts";
import { MemoryVm, type MemoryVmOptions } from "../../test/support/memory_vm.ts";
import { runProgram } from "./program.ts";

const VM: MemoryVmOptions = {
  files: {
    "/etc/resolv.conf": "nameserver 192.0.2.53\n",
    "/etc/config.yaml": "names: { files: [/etc/mesh.yaml] }\n",
    "/etc/bad.yaml": "names: { fils: [] }\n",
  },
};

/** Runs a command line on a VM in memory, which it may not change. */
async function run(args: string[], options: MemoryVmOptions = VM) {
  const vm = new MemoryVm(options);
  const before = vm.state();
  const { context, output } = vmContext(vm, { machine: { forgetUdpExchanges: () => 3 } });
  const exitCode = await runProgram(args, context);
  assert.deepEqual(vm.state(), before);
  return { output: output(), exitCode };
}

const install = ["install", "--config", "/etc/config.yaml"];

Deno.test("install --dry-run shows each step, its reason and its inverse, and what was found", async () => {
  const { output, exitCode } = await run([...install, "--dry-run"]);
  assert.equal(exitCode, 0);
  assert.match(
    output,
    /^What was found.*\n {2}systemd-resolved does not run: resolved does not fit\n/,
  );
  assert.match(
    output,
    / 2\. copy \/opt\/outrigger to \/usr\/local\/bin\/outrigger .*\n +why: {2}the units call it there\n +undo: put back/,
  );
  assert.match(output, /Capture \(resolv-conf\), by outrigger-capture\.service/);
  assert.match(output, /port-53\.conf/);
  assert.match(output, /1\. write \/etc\/resolv\.conf \(root:root 0644\)\n/);
  assert.match(output, /\d+ more are in force already\./);
  assert.match(output, /Nothing was changed \(--dry-run\)\.\n$/);
});

Deno.test("install --dry-run --json says the same to machines", async () => {
  const { output } = await run([...install, "--capture", "nftables", "--dry-run", "--json"]);
  const report = JSON.parse(output);
  assert.deepEqual(report.captures, ["nftables"]);
  assert.deepEqual(report.refusals, []);
  assert.deepEqual(Object.keys(report.install[0]), ["do", "undo", "why", "inForce"]);
});

const PACKAGED: MemoryVmOptions = {
  files: {
    ...VM.files,
    "/usr/bin/outrigger": "the program",
    "/usr/lib/systemd/system/outrigger.service": "",
  },
};
const DEB = { "dpkg-query --show outrigger": "outrigger\t0.1.0\n" };

const refused: [name: string, args: string[], options: MemoryVmOptions, message: RegExp][] = [
  ["anybody but root", install, { ...VM, output: { "id -u": "1000\n" } }, /Only root can install/],
  [
    "Istio's agent on the port",
    install,
    {
      ...VM,
      output: {
        "ss -Hlntup":
          'udp UNCONN 0 0 127.0.0.1:15053 0.0.0.0:* users:(("pilot-agent",pid=9,fd=3))\n',
      },
    },
    /Istio's agent \(pilot-agent\)/,
  ],
  [
    "beside a package",
    install,
    PACKAGED,
    /run \/usr\/bin\/outrigger install, with the same options/,
  ],
  [
    "what a .deb brought",
    ["upgrade", "/opt/new"],
    { ...PACKAGED, output: DEB },
    /`apt install \.\/outrigger_VERSION_ARCH\.deb`/,
  ],
  [
    "what an .rpm brought",
    ["upgrade", "/opt/new"],
    PACKAGED,
    /`dnf install \.\/outrigger-VERSION-1\.ARCH\.rpm`/,
  ],
  ["a wrong configuration", ["install", "--config", "/etc/bad.yaml"], VM, /config\.yaml:1: .*fils/],
  ["no configuration", ["install"], VM, /config\.yaml: cannot be read/],
  ["uninstall by anybody", ["uninstall"], { output: { "id -u": "1000\n" } }, /try sudo/],
  ["capture by anybody", ["capture", "up"], { output: { "id -u": "1000\n" } }, /try sudo/],
];
for (const [name, args, options, message] of refused) {
  Deno.test(`${args[0]} refuses ${name}, and changes nothing`, async () => {
    await assert.rejects(run(args, options), message);
  });
}

Deno.test("install --dry-run shows why it would be refused, and fails", async () => {
  const { output, exitCode } = await run([...install, "--dry-run"], {
    ...VM,
    output: { "id -u": "1000\n" },
  });
  assert.equal(exitCode, 1);
  assert.match(output, /\nrefused: Only root can install a service/);
});

Deno.test("uninstall says that there is nothing to undo", async () => {
  assert.deepEqual(await run(["uninstall"]), {
    output: "Nothing to undo: outrigger is not installed on this machine.\n",
    exitCode: 0,
  });
});

Deno.test("capture status tells whether it is in force by its exit code", async () => {
  const files = { ...VM.files, "/etc/outrigger/config.yaml": "names: { files: [a] }\n" };
  const { output, exitCode } = await run(["capture", "status"], { files });
  assert.equal(exitCode, 1);
  assert.match(output, /^not in force\n/);
});

Deno.test("capture forget-connections says how many there were", async () => {
  assert.equal((await run(["capture", "forget-connections"])).output, "forgot 3 DNS exchanges\n");
});
