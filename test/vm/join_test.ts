import assert from "node:assert/strict";
import { runToEnd } from "../support/child_process.ts";
import { README } from "../support/readme_commands.ts";
import { debianImage } from "./debian_image.ts";
import { CONTROL_PLANE, JoinPlane } from "./join_plane.ts";
import { NEW_VERSION, writeChanged } from "./new_versions.ts";
import { report } from "./report.ts";
import { type CommandResult, VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import { getent } from "./vm_lookups.ts";
import { VmNetwork } from "./vm_network.ts";

const MESH = "productpage.ns1.svc.cluster.local";
const { address, name } = CONTROL_PLANE;
const LINKS = [{ name: "eth0", addresses: ["192.0.2.2/24"], beyond: [`${address}/24`] }];
const JOURNAL = "/var/lib/outrigger-install/journal.json:";
const IDENTITY = "spiffe://cluster.local/ns/vm/sa/vm-sa";
/** Octets that no joining takes which unpacks the program, and that every other takes. */
const PACKED_OCTETS = 50e6;

/** A VM that has been told no more than where the control plane is. */
async function cleanVm(network: VmNetwork, extra: readonly string[]): Promise<VirtualMachine> {
  const vm = await VirtualMachine.boot({
    image: await debianImage("bookworm", { extra }),
    network,
  });
  await vm.run(["sh", "-c", `echo '${address} ${name}' >>/etc/hosts`]);
  return vm;
}

/** Octets that the VM has received. */
async function receivedOctets(network: VmNetwork): Promise<number> {
  const text = await runToEnd("nsenter", [`--net=${network.vm}`, "cat", "/proc/self/net/dev"]);
  return Number(/eth0: *(\d+)/.exec(text)![1]);
}

/** What the agent says of itself. */
async function statusOf(vm: VirtualMachine) {
  return JSON.parse((await vm.attempt(["outrigger", "status", "--json"])).stdout);
}

/** All but what the agent keeps of the control plane, which comes and goes here. */
async function filesWithoutState(vm: VirtualMachine): Promise<Map<string, string>> {
  return new Map(
    [...await filesOf(vm)].filter(([path]) => !path.startsWith("/var/lib/outrigger/")),
  );
}

/** Pastes a line into a root shell of the VM. */
function paste(vm: VirtualMachine, line: string): Promise<CommandResult> {
  return vm.attempt(["sh", "-c", line]);
}

Deno.test("README's first commands join a clean Debian 12, and its control plane upgrades it", async (t) => {
  await using network = await VmNetwork.create(LINKS);
  await using plane = await JoinPlane.make(network);
  await plane.listen();
  await using vm = await cleanVm(network, ["curl", "xz-utils"]);

  await t.step("the line that is printed is the README's, and joins", async () => {
    const line = (await plane.line()).trim();
    assert.match(line, lineOfReadme());
    const { code, stdout, stderr } = await paste(vm, line);
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
    assert.equal((await statusOf(vm)).controlPlane.certificate.identity, IDENTITY);
  });

  const upgrade = (version: string) => vm.attempt(["outrigger", "upgrade", version]);
  const refusesUpgrade = async (reason: RegExp) => {
    const before = await filesWithoutState(vm);
    const { code, stderr } = await upgrade("99.0.0");
    assert.equal(code, 1);
    assert.match(stderr, reason);
    assert.deepEqual(differences(before, await filesWithoutState(vm)), []);
  };

  await t.step("a version that the control plane does not hand out is refused", async () => {
    await plane.stop();
    await writeChanged(plane.program, {});
    await plane.listen("--binaries programs");
    await refusesUpgrade(
      new RegExp(`is version ${NEW_VERSION}, and not 99\\.0\\.0: .*Nothing was changed\\.$`, "m"),
    );
  });

  await t.step(
    "the one that it hands out is put in place, by the CA that the VM trusts",
    async () => {
      const { code, stdout, stderr } = await upgrade(NEW_VERSION);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, new RegExp(`^outrigger ${NEW_VERSION} runs`, "m"));
      const { version, waitingFor } = await statusOf(vm);
      assert.deepEqual([version, waitingFor], [NEW_VERSION, []]);
      assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
    },
  );

  await t.step("a control plane with another CA is refused", async () => {
    await plane.stop();
    await plane.forget();
    await plane.listen("--binaries programs");
    await refusesUpgrade(
      /Download https:\/\/cp\.example\.org:15443\/SHA256SUMS: .*certificate.*Nothing was changed/i,
    );
  });
});

/** The README's line, with any text for each of its dots. */
function lineOfReadme(): RegExp {
  const [, line] = /<!-- table: join_line -->\s*```text\n(.*)\n```/.exec(README)!;
  const quoted = line.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${quoted.replaceAll("…", "[\\w-]+")}$`);
}

for (
  const { title, extra, prepare = [], isPacked } of [
    { title: "with curl and xz", extra: ["curl", "xz-utils"], isPacked: true },
    { title: "with GNU wget alone", extra: ["wget"], isPacked: false },
    {
      title: "with busybox alone",
      extra: ["busybox"],
      prepare: ["ln", "-s", "/bin/busybox", "/usr/local/bin/wget"],
      isPacked: true,
    },
  ]
) {
  Deno.test(`one line joins a clean Debian 12 ${title}, or leaves it as it is`, async (t) => {
    await using network = await VmNetwork.create(LINKS);
    await using plane = await JoinPlane.make(network);
    await plane.restore();
    const listen = () => plane.listen("--http-listen 0.0.0.0:15080", "--binaries programs");
    await listen();
    await using vm = await cleanVm(network, extra);
    if (prepare.length > 0) await vm.run(prepare);
    // The first command of a unit makes things of systemd's own.
    await paste(vm, "true");
    const before = await filesOf(vm);
    const refused = async (line: string, message: RegExp) => {
      const { code, stdout, stderr } = await paste(vm, line);
      assert.notEqual(code, 0, stdout);
      assert.match(stdout + stderr, message);
      assert.deepEqual(differences(before, await filesOf(vm)), []);
      assert.deepEqual(await getent(vm, MESH), []);
    };
    const line = await plane.line();

    await t.step("a wrong fingerprint of the script", () =>
      refused(
        line.replace(/[0-9a-f]{64}(?= {2}\$f)/, "0".repeat(64)),
        /install\.sh is not the one that this line is for: nothing was run/,
      ));

    await t.step("a wrong fingerprint of the authority", () =>
      refused(
        line.replace(/(?<=--ca-sha256 )[0-9a-f]{64}/, "0".repeat(64)),
        /the certificate authority .* is not what it should be.*nothing was changed/s,
      ));

    await t.step("a changed octet of the program", async () => {
      await plane.damage();
      await refused(
        line,
        /outrigger-linux-\w+(\.xz)? is not what it should be.*nothing was changed/s,
      );
      await plane.restore();
    });

    await t.step("an expired token", async () => {
      const expired = await plane.line("--ttl", "1s");
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await refused(expired, /refuses the token: the token expired at .*Nothing was changed/);
    });

    await t.step("an expired certificate", async () => {
      await plane.stop();
      try {
        const expired = await plane.listenExpired();
        await refused(expired, /could not prove itself.*expired.*othing was changed/is);
      } finally {
        await plane.stop();
        await listen();
      }
    });

    await t.step("from the line to the first answer in less than 10 s", async () => {
      const [startedMs, receivedBefore] = [performance.now(), await receivedOctets(network)];
      const { code, stdout, stderr } = await paste(vm, line);
      assert.equal(code, 0, stdout + stderr);
      assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
      const tookMs = performance.now() - startedMs;
      report(`joined, ${title}`, tookMs);
      assert.ok(tookMs < 10_000, `${Math.round(tookMs)} ms`);
      const received = await receivedOctets(network) - receivedBefore;
      console.log(`downloaded, ${title}: ${(received / 1e6).toFixed(1)} MB`);
      assert.equal(received < PACKED_OCTETS, isPacked, `${received} octets`);
      assert.equal((await statusOf(vm)).controlPlane.certificate.identity, IDENTITY);
    });

    await t.step("the same line again changes nothing: this machine has joined", async () => {
      const joined = await filesOf(vm);
      const { code, stdout, stderr } = await paste(vm, line);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /Nothing to change/);
      const changed = differences(joined, await filesOf(vm));
      // The journal says where the program was copied from.
      assert.deepEqual(changed.filter((line) => !line.startsWith(JOURNAL)), []);
    });

    await t.step("given back, the machine is as it was, and the token is spent", async () => {
      await vm.run(["outrigger", "uninstall", "--purge"]);
      await refused(line, /refuses the token: the token is spent: it is good for one machine/);
    });

    await t.step("a token of two uses is good for this machine and another", async () => {
      const { code, stdout, stderr } = await paste(vm, await plane.line("--uses", "2"));
      assert.equal(code, 0, stdout + stderr);
      assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
    });
  });
}
