import assert from "node:assert/strict";
import { basename } from "node:path";
import { runToEnd } from "../support/child_process.ts";
import { debianImage } from "./debian_image.ts";
import { VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import { VmNetwork } from "./vm_network.ts";

Deno.test("VirtualMachine leaves nothing behind, neither orderly nor when a test fails", async () => {
  const image = await debianImage();
  let names: string[] = [];
  const failing = async () => {
    await using network = await VmNetwork.create([
      { name: "eth0", addresses: ["192.0.2.2/24"], beyond: ["192.0.2.1/24"] },
    ]);
    await using vm = await VirtualMachine.boot({ image, network });
    names = [basename(vm.folder), basename(network.vm)];
    await vm.writeFile("/etc/outrigger/here", "yes\n");
    assert.equal(await vm.run(["cat", "/etc/outrigger/here"]), "yes\n");
    assert.equal(await vm.run(["cat", "/proc/1/comm"]), "systemd\n");
    assert.deepEqual(await vm.attempt(["sh", "-c", "echo oh >&2; exit 7"]), {
      code: 7,
      stdout: "",
      stderr: "oh\n",
    });
    const before = await filesOf(vm);
    await runToEnd("setfattr", ["-n", "trusted.test", "-v", "1", vm.pathOnHost("/etc/hosts")]);
    const [difference, ...others] = differences(before, await filesOf(vm));
    assert.match(difference, /^\/etc\/hosts: .* trusted\.test=0x31$/);
    assert.deepEqual(others, []);
    // The VM's capabilities, not the host's: a module is never loaded from in there.
    const capabilities = await vm.run(["sh", "-c", "grep CapEff /proc/self/status | cut -f 2"]);
    assert.equal(BigInt(`0x${capabilities.trim()}`) >> 16n & 1n, 0n);
    // Two mounts, a folder, a namespace, and a control group or two.
    assert.ok((await traces(names)).length >= 5);
    await vm.run(["false"]);
  };
  await assert.rejects(failing, /^Error: false: exit code 1/);
  assert.deepEqual(await traces(names), []);
  const written = await Deno.stat(`${image}/etc/outrigger`).catch(() => undefined);
  assert.equal(written, undefined, "the image stays as it was");
});

/** What bears one of these names on the host: mounts, namespaces, control groups, folders. */
async function traces(names: readonly string[]): Promise<string[]> {
  const mounts = (await Deno.readTextFile("/proc/mounts")).split("\n");
  const cgroups = await runToEnd("find", ["/sys/fs/cgroup", "-maxdepth", "2", "-type", "d"]);
  const folders = await Array.fromAsync(Deno.readDir(Deno.env.get("TMPDIR") || "/tmp"));
  return [
    ...mounts,
    ...(await runToEnd("ip", ["netns", "list"])).split("\n"),
    ...cgroups.split("\n"),
    ...folders.map(({ name }) => name),
  ].filter((trace) => names.some((name) => trace.includes(name)));
}
