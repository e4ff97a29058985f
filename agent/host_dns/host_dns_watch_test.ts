import assert from "node:assert/strict";
import { ManualClock, settle } from "../../test/support/manual_clock.ts";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { silentLog } from "../system/log.ts";
import { formatNameserver } from "../system/nameserver.ts";
import type { HostDns } from "./host_dns.ts";
import { HostDnsWatch } from "./host_dns_watch.ts";
import { REMEMBERED_MS, RememberedLinks, UP_LINKS } from "./remembered_links.ts";
import type { ResolvedLinks } from "./resolved_links.ts";

const RESOLV_CONF = "/etc/resolv.conf";
const SAVED = "/var/lib/outrigger/capture/resolv.conf";
const FIRST = "nameserver 192.0.2.1\n";
const SECOND = "nameserver 192.0.2.2\n";

/** A watch that runs; `reported` has the servers of each change. */
class WatchFixture implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly files: MemoryFiles;
  readonly watch: HostDnsWatch;
  readonly reported: string[] = [];
  readonly warnings: string[] = [];
  readonly #stop = new AbortController();
  #ended: Promise<void> | undefined;

  readonly remembered: RememberedLinks;
  readonly #resolvedLinks: ResolvedLinks | undefined;

  constructor(
    texts: Record<string, string> = { [RESOLV_CONF]: FIRST },
    resolvedLinks?: ResolvedLinks,
  ) {
    this.files = new MemoryFiles(texts);
    this.remembered = new RememberedLinks(this);
    this.#resolvedLinks = resolvedLinks;
    this.watch = this.newWatch();
  }

  /** As a reload makes one. */
  newWatch(): HostDnsWatch {
    return new HostDnsWatch({
      files: this.files,
      clock: this.clock,
      exclude: [{ address: "127.0.0.55", port: 53 }],
      log: { ...silentLog, warn: (message) => this.warnings.push(message) },
      savedResolvConf: SAVED,
      ...(this.#resolvedLinks && { resolvedLinks: this.#resolvedLinks }),
      rememberedLinks: this.remembered,
    });
  }

  static async started(
    texts?: Record<string, string>,
    resolvedLinks?: ResolvedLinks,
  ): Promise<WatchFixture> {
    const fixture = new WatchFixture(texts, resolvedLinks);
    await fixture.watch.read();
    fixture.run();
    await fixture.clock.advance(0);
    return fixture;
  }

  run(): void {
    this.#ended = this.watch.run(this.#stop.signal, (dns) => this.reported.push(serversOf(dns)));
  }

  get current(): string {
    return serversOf(this.watch.current);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    assert.equal(this.clock.pendingCount, 0);
  }
}

function serversOf({ servers }: HostDns): string {
  return servers.map(formatNameserver).join(" ");
}

Deno.test("HostDnsWatch reports a change once it has lasted a moment", async () => {
  await using fixture = await WatchFixture.started();
  const { clock, files, reported } = fixture;
  files.write(RESOLV_CONF, SECOND);
  await clock.advance(399);
  assert.deepEqual(reported, []);
  assert.equal(fixture.current, "192.0.2.1:53");
  await clock.advance(1);
  assert.deepEqual(reported, ["192.0.2.2:53"]);
  assert.equal(fixture.current, "192.0.2.2:53");
  await clock.advance(20_000);
  assert.equal(reported.length, 1);
});

Deno.test("HostDnsWatch reports nothing while nothing really differs", async () => {
  await using fixture = await WatchFixture.started();
  fixture.files.write(RESOLV_CONF, `# edited\n${FIRST}options ndots:5\n`);
  fixture.files.write("/etc/hosts", "127.0.0.1 localhost\n");
  await fixture.clock.advance(20_000);
  assert.deepEqual(fixture.reported, []);
});

Deno.test("HostDnsWatch sees a change that nobody told it of", async () => {
  await using fixture = await WatchFixture.started();
  fixture.files.write(RESOLV_CONF, SECOND, { told: false });
  await fixture.clock.advance(5_199);
  assert.deepEqual(fixture.reported, []);
  await fixture.clock.advance(1);
  assert.deepEqual(fixture.reported, ["192.0.2.2:53"]);
});

Deno.test("HostDnsWatch sees what changed between read() and run()", async () => {
  await using fixture = new WatchFixture();
  await fixture.watch.read();
  fixture.files.write(RESOLV_CONF, SECOND);
  fixture.run();
  await fixture.clock.advance(200);
  assert.deepEqual(fixture.reported, ["192.0.2.2:53"]);
});

Deno.test("HostDnsWatch hears of a folder that came later", async () => {
  await using fixture = await WatchFixture.started({ [RESOLV_CONF]: "nameserver 127.0.0.55\n" });
  const { clock, files, reported } = fixture;
  files.write(SAVED, FIRST);
  await clock.advance(5_200);
  assert.deepEqual(reported, ["192.0.2.1:53"]);
  files.write(SAVED, SECOND);
  await clock.advance(400);
  assert.deepEqual(reported, ["192.0.2.1:53", "192.0.2.2:53"]);
});

Deno.test("HostDnsWatch never takes over a file that is being written", async (t) => {
  await t.step("cut within an address", async () => {
    await using fixture = await WatchFixture.started();
    const { clock, files, reported } = fixture;
    files.write(RESOLV_CONF, "nameserver 192.0.2.2");
    await clock.advance(2_900);
    files.write(RESOLV_CONF, "nameserver 192.0.2.200");
    await clock.advance(2_900);
    files.write(RESOLV_CONF, "nameserver 192.0.2.200\n");
    await clock.advance(400);
    assert.deepEqual(reported, ["192.0.2.200:53"]);
  });
  await t.step("written a line at a time", async () => {
    await using fixture = await WatchFixture.started();
    const { clock, files, reported } = fixture;
    let text = "";
    for (let last = 1; last <= 8; last++) {
      text += `nameserver 198.51.100.${last}\n`;
      files.write(RESOLV_CONF, text);
      await clock.advance(150);
    }
    await clock.advance(400);
    assert.equal(reported.length, 1);
    assert.equal(reported[0].split(" ").length, 8);
  });
  await t.step("emptied first, while systemd-resolved has servers of its own", async () => {
    await using fixture = await WatchFixture.started({
      [RESOLV_CONF]: FIRST,
      "/run/systemd/netif/links/2": "OPER_STATE=routable\nDNS=192.0.2.99\n",
    });
    const { clock, files, reported } = fixture;
    files.write(RESOLV_CONF, "");
    await clock.advance(2_900);
    files.write(RESOLV_CONF, SECOND);
    await clock.advance(400);
    assert.deepEqual(reported, ["192.0.2.2:53"]);
  });
  await t.step("a file that ends without a newline for good", async () => {
    await using fixture = await WatchFixture.started();
    fixture.files.write(RESOLV_CONF, SECOND.trimEnd());
    await fixture.clock.advance(3_100);
    assert.deepEqual(fixture.reported, []);
    await fixture.clock.advance(100);
    assert.deepEqual(fixture.reported, ["192.0.2.2:53"]);
  });
});

Deno.test("HostDnsWatch does not wait for a newline in files that are replaced as a whole", async () => {
  const link = "/run/systemd/netif/links/2";
  await using fixture = await WatchFixture.started({
    [RESOLV_CONF]: "nameserver 127.0.0.53\n",
    [link]: "OPER_STATE=routable\nDNS=192.0.2.1",
  });
  assert.equal(fixture.current, "192.0.2.1:53");
  fixture.files.write(link, "OPER_STATE=routable\nDNS=192.0.2.2");
  await fixture.clock.advance(400);
  assert.deepEqual(fixture.reported, ["192.0.2.2:53"]);
});

/** systemd-resolved with a link and a VPN, which can be taken away; what it leaves behind has no domains. */
class Resolved {
  isAway = false;
  static readonly FILES = {
    [RESOLV_CONF]: "nameserver 127.0.0.53\n",
    "/run/systemd/resolve/resolv.conf": `${FIRST}nameserver 198.51.100.1\n`,
    [UP_LINKS]: "Idx\tDevice\n1\tlo\n2\teth0\n3\tvpn0\n",
  };

  readonly links: ResolvedLinks = () =>
    this.isAway ? Promise.reject(new Error("The system bus does not answer")) : Promise.resolve([
      { source: "eth0", link: 2, servers: [{ address: "192.0.2.1" }], domains: [] },
      {
        source: "vpn0",
        link: 3,
        servers: [{ address: "198.51.100.1" }],
        domains: [{ domain: "corp.example", routeOnly: true }],
      },
    ]);

  /** Servers of all names, and of which domains. */
  static tell({ servers, domains }: HostDns): string[] {
    const texts = domains.map((group) =>
      `${group.domain}: ${group.servers.map(formatNameserver).join(" ")}`
    );
    return [servers.map(formatNameserver).join(" "), ...texts];
  }
}
const VPN = "corp.example: 198.51.100.1:53";

Deno.test("HostDnsWatch keeps what systemd-resolved told while that is away", async (t) => {
  const lease = "/run/systemd/netif/links/2";
  const cases: [
    title: string,
    awayMs: number,
    changes: Record<string, string | undefined>,
    string[],
  ][] = [
    ["restarted", 2_000, {}, ["192.0.2.1:53", VPN]],
    ["for ten minutes", 600_000, {}, ["192.0.2.1:53", VPN]],
    ["with the VPN's link", 10_000, { [UP_LINKS]: "Idx\tDevice\n1\tlo\n2\teth0\n" }, [
      "192.0.2.1:53",
    ]],
    ["while another lease comes", 10_000, { [lease]: "OPER_STATE=routable\nDNS=192.0.2.9\n" }, [
      "192.0.2.9:53",
      VPN,
    ]],
    ["for more than an hour", REMEMBERED_MS + 10_000, {}, ["192.0.2.1:53 198.51.100.1:53"]],
  ];
  for (const [title, awayMs, changes, expected] of cases) {
    await t.step(title, async () => {
      const resolved = new Resolved();
      await using fixture = await WatchFixture.started(Resolved.FILES, resolved.links);
      const { clock, files, watch } = fixture;
      assert.deepEqual(Resolved.tell(watch.current), ["192.0.2.1:53", VPN]);
      resolved.isAway = true;
      for (const [path, text] of Object.entries(changes)) files.write(path, text);
      await clock.advance(awayMs);
      assert.deepEqual(Resolved.tell(watch.current), expected);
      const reloaded = await fixture.newWatch().read();
      assert.deepEqual(Resolved.tell(reloaded), expected);
      resolved.isAway = false;
      await clock.advance(10_000);
      assert.deepEqual(Resolved.tell(watch.current), ["192.0.2.1:53", VPN]);
    });
  }
});

Deno.test("HostDnsWatch waits for a systemd-resolved that told nothing yet", async (t) => {
  const files = ["192.0.2.1:53 198.51.100.1:53"];
  const cases: [title: string, awayMs: number, expected: string[]][] = [
    ["back after two seconds", 2_000, []],
    ["away for longer", 60_000, files],
  ];
  for (const [title, awayMs, expected] of cases) {
    await t.step(title, async () => {
      const resolved = new Resolved();
      resolved.isAway = true;
      await using fixture = await WatchFixture.started({ [RESOLV_CONF]: "" }, resolved.links);
      for (const [path, text] of Object.entries(Resolved.FILES)) fixture.files.write(path, text);
      await fixture.clock.advance(awayMs);
      assert.deepEqual(fixture.reported, expected);
      resolved.isAway = false;
      await fixture.clock.advance(10_000);
      assert.deepEqual(Resolved.tell(fixture.watch.current), ["192.0.2.1:53", VPN]);
    });
  }
});

Deno.test("HostDnsWatch keeps the last good servers of a set-up that became empty", async (t) => {
  const cases: [string, string | undefined][] = [
    ["an empty file", ""],
    ["no file", undefined],
    ["nothing that can be read", "\0\0\0\0"],
    ["only this agent", "nameserver 127.0.0.55\n"],
  ];
  for (const [title, text] of cases) {
    await t.step(title, async () => {
      await using fixture = await WatchFixture.started();
      const { clock, files, reported, warnings, watch } = fixture;
      files.write(RESOLV_CONF, text);
      await clock.advance(3_199);
      assert.equal(watch.problem, undefined);
      await clock.advance(1);
      assert.match(watch.problem!, /no nameserver any more \(/);
      await clock.advance(60_000);
      assert.deepEqual(reported, []);
      assert.equal(fixture.current, "192.0.2.1:53");
      assert.equal(warnings.length, 1);
      assert.equal(serversOf(await watch.read()), "192.0.2.1:53");
      files.write(RESOLV_CONF, FIRST);
      await clock.advance(400);
      assert.equal(watch.problem, undefined);
      assert.deepEqual(reported, []);
    });
  }
});

Deno.test("HostDnsWatch starts without servers and takes the first that come", async () => {
  await using fixture = await WatchFixture.started({ "/etc/hosts": "" });
  assert.equal(fixture.current, "");
  assert.equal(fixture.watch.problem, undefined);
  fixture.files.write(RESOLV_CONF, FIRST);
  await fixture.clock.advance(400);
  assert.deepEqual(fixture.reported, ["192.0.2.1:53"]);
});

Deno.test("HostDnsWatch stops watching when it is told to end", async () => {
  const fixture = await WatchFixture.started();
  assert.deepEqual(fixture.files.watched, ["/etc"]);
  await fixture[Symbol.asyncDispose]();
  await settle();
  assert.deepEqual(fixture.files.watched, []);
});
