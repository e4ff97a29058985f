import assert from "node:assert/strict";
import { DhcpServer, LEASED } from "./dhcp_server.ts";
import { PortWatch } from "./port_watch.ts";
import { report } from "./report.ts";
import type { VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import { BINARY, bring, INSTALL, PROGRAM, ruleset } from "./vm_installation.ts";
import { everyLookup, getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
/** Both beyond eth0; only the second knows `moved.example.org`. */
const [FIRST, SECOND] = ["192.0.2.53", "192.0.2.54"];
const TOOLS = ["nftables", "curl", "python3-minimal", "openssh-server"];
const CLIENTS = ["isc-dhcp-client", "dhcpcd-base", "libpam-systemd", "network-manager"];

interface Case {
  name: string;
  /** Whether systemd-resolved is there. */
  hasResolved?: boolean;
  /** Makes the VM what it is, with a lease. */
  prepare: string;
  /** Has the lease renewed. */
  renew: string;
  /** Whether eth0 loses its address meanwhile. */
  losesAddress?: boolean;
  args?: string[];
  /** Names that go to the agent; all unless given. */
  names?: Record<string, string>;
  captures: string;
  /** Who is named once its lease came between. */
  rival?: string;
}

const BANK = { "bank.example.org": "192.0.2.99" };
const NETWORKD = `
  printf '[Match]\\nName=eth0\\n[Network]\\nDHCP=ipv4\\n' >/etc/systemd/network/eth0.network
  systemctl --quiet enable --now systemd-networkd`;
const PLAIN = `
  systemctl --quiet disable --now NetworkManager
  rm -f /etc/resolv.conf`;
const DHCLIENT = "systemd-run --quiet --collect --unit=dhcp /sbin/dhclient -d eth0";
const DHCPCD = "systemd-run --quiet --collect --unit=dhcp /sbin/dhcpcd -B -4 eth0";

const cases: Case[] = [
  {
    name: "isc-dhcp-client",
    prepare: `${PLAIN}\n${DHCLIENT}`,
    renew: `systemctl stop dhcp\n${DHCLIENT}`,
    captures: "resolv-conf",
    rival: "dhclient",
  },
  {
    name: "isc-dhcp-client, and nftables asked for",
    prepare: `${PLAIN}\n${DHCLIENT}`,
    renew: `systemctl stop dhcp\n${DHCLIENT}`,
    args: ["--capture", "nftables"],
    captures: "nftables",
    rival: "dhclient",
  },
  {
    name: "dhcpcd",
    // It sets up the link's IPv6 in there, and gives up where it cannot.
    prepare: `${PLAIN}\nmount -o remount,rw,bind /proc/sys\n${DHCPCD}`,
    renew: "dhcpcd -n eth0",
    captures: "resolv-conf",
    rival: "dhcpcd",
  },
  {
    name: "NetworkManager",
    prepare: `
      nmcli device set eth0 managed yes
      nmcli connection add type ethernet ifname eth0 con-name lease ipv6.method ignore
      nmcli connection up lease`,
    renew: "nmcli connection up lease",
    losesAddress: true,
    captures: "networkmanager",
  },
  {
    name: "systemd-networkd",
    hasResolved: true,
    prepare: NETWORKD,
    renew: "networkctl renew eth0",
    captures: "resolved",
  },
  {
    // No file that systemd watches shows the new lease: the agent does.
    name: "systemd-networkd, and nftables asked for",
    hasResolved: true,
    prepare: NETWORKD,
    renew: "networkctl renew eth0",
    args: ["--capture", "nftables"],
    // systemd-resolved asks nobody for names below .local.
    names: BANK,
    captures: "nftables",
  },
];

for (const testCase of cases) {
  const { name, hasResolved = false, prepare, renew, args = [], captures, rival } = testCase;
  const names = testCase.names ?? { [MESH]: "10.96.1.1", ...BANK };
  Deno.test(`outrigger on a Debian 12 whose nameserver comes by ${name}`, async () => {
    const startedMs = performance.now();
    await using scene = await bareScene({
      extra: [...TOOLS, ...hasResolved ? [] : CLIENTS],
      hasResolved,
      isConfigured: false,
    });
    const { vm, network } = scene;
    await using dhcp = await DhcpServer.start({ folder: vm.folder, network, nameserver: FIRST });
    await bring(vm);
    await vm.run(["sh", "-ec", prepare]);
    const finds = (name: string, address: string, what: string) =>
      vm.until(
        async () => (await getent(vm, name, "ahostsv4")).join() === address || undefined,
        what,
        30_000,
      ).catch(async (cause) => {
        throw new Error(`${what}: not so\n${await stateOf(vm)}`, { cause });
      });
    const lease = async (nameserver: string) => {
      await dhcp.replaceNameserver(nameserver);
      await vm.run(["sh", "-ec", renew]);
    };
    await finds("www.example.org", "203.0.113.80", "the first lease's nameserver is used");
    const first = await filesOf(vm);
    const rules = await ruleset(vm);
    await lease(SECOND);
    await finds("moved.example.org", "203.0.113.54", "the second lease's nameserver is used");
    const second = await vm.run(["cat", "/etc/resolv.conf"]);
    await lease(FIRST);
    await vm.until(
      async () => (await getent(vm, "moved.example.org")).length === 0 || undefined,
      "the first lease is back",
    );

    await using watch = PortWatch.start({ network, folder: vm.folder, address: LEASED, port: 22 });
    const said = await vm.run([PROGRAM, ...INSTALL, ...args]);
    assert.match(said, new RegExp(`its lookups go to the agent \\(${captures}\\)`));
    for (
      const [name, address] of Object.entries({ ...names, "www.example.org": "203.0.113.80" })
    ) {
      const found = await everyLookup(vm, name);
      assert.deepEqual(found, mapValues(found, () => [address]), name);
    }

    const changedMs = performance.now();
    await lease(SECOND);
    await finds("moved.example.org", "203.0.113.54", "the new nameserver is learnt");
    for (const [name, address] of Object.entries(names)) {
      await finds(name, address, `${name} is answered after a new lease`);
    }
    report(`${name}: captured again, with the new nameserver`, performance.now() - changedMs);
    if (rival !== undefined) {
      await vm.until(
        async () => {
          const units = ["--unit=outrigger-capture.service", "--output=cat"];
          const log = await vm.run(["journalctl", ...units]);
          return new RegExp(`had changed \\(written by .*${rival}`).test(log) || undefined;
        },
        `the log names ${rival}`,
        15_000,
      );
    }
    // What would capture again at once.
    const again = ["outrigger-capture.path", "outrigger-capture.timer"];
    await vm.run(["systemctl", "stop", ...again, "outrigger-recapture.service"]);
    await vm.run([BINARY, "capture", "down"]);
    assert.equal(await vm.run(["cat", "/etc/resolv.conf"]), second);
    assert.deepEqual(await getent(vm, "moved.example.org"), ["203.0.113.54"]);
    await vm.run([BINARY, "capture", "up"]);
    await vm.run(["systemctl", "start", ...again]);
    await finds("bank.example.org", "192.0.2.99", "the capture is back");

    await lease(FIRST);
    await vm.run([BINARY, "uninstall", "--purge"]);
    await finds("www.example.org", "203.0.113.80", "the VM has its own DNS");
    assert.deepEqual(await getent(vm, MESH), []);
    const { failures, isHeld, answered } = await watch.end();
    assert.deepEqual(differences(first, await filesOf(vm)), []);
    assert.equal(await ruleset(vm), rules);
    if (!testCase.losesAddress) {
      assert.deepEqual({ failures, isHeld }, { failures: [], isHeld: true });
      assert.ok(answered > 20, `${answered}`);
    }
    report(name, performance.now() - startedMs);
  });
}

function mapValues<T, U>(values: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

/** What there is to see where a test failed. */
async function stateOf(vm: VirtualMachine): Promise<string> {
  const { stdout } = await vm.attempt([
    ...["sh", "-c", "cat /etc/resolv.conf; journalctl --unit='outrigger*' --unit=dhcp --lines=60"],
  ]);
  return stdout;
}
