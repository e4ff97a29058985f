import assert from "node:assert/strict";
import { FakeNetwork } from "../test/support/fake_network.ts";
import {
  AUTHENTICATED,
  EMPTY_LINK,
  FakeSystemBus,
  HELLO,
  LINK,
  SERVERS,
} from "../test/support/fake_system_bus.ts";
import { FixedRandom } from "../test/support/fixed_random.ts";
import { ManualClock } from "../test/support/manual_clock.ts";
import { MemoryFiles } from "../test/support/memory_files.ts";
import { type Config, configSchema } from "./config/config.ts";
import type { Files } from "./system/files.ts";
import { silentLog } from "./system/log.ts";
import { formatNameserver } from "./system/nameserver.ts";
import { systemWorld } from "./system/world.ts";
import { UpstreamChoice } from "./upstream_choice.ts";

Deno.test("UpstreamChoice.prepare() knows at a reload what systemd-resolved told before it", async () => {
  const clock = new ManualClock();
  const files = new MemoryFiles({
    "/etc/resolv.conf": "nameserver 127.0.0.53\n",
    "/run/systemd/resolve/resolv.conf": "nameserver 192.0.2.66\n",
  });
  const links = [EMPTY_LINK, EMPTY_LINK, EMPTY_LINK, LINK, EMPTY_LINK];
  const buses = [new FakeSystemBus([AUTHENTICATED, HELLO, SERVERS, ...links])];
  const choice = new UpstreamChoice({
    world: {
      ...systemWorld(),
      clock,
      random: new FixedRandom(),
      files: files as unknown as Files,
      network: new FakeNetwork(clock),
      connectLocal: () => {
        const bus = buses.shift();
        return bus ? Promise.resolve(bus) : Promise.reject(new Error("nobody listens"));
      },
    },
    log: silentLog,
    listenAddresses: () => [],
    loopProbe: { probe: () => Promise.resolve([]) },
    replaceServers() {},
    onSearchDomains() {},
    onHostChanged() {},
    onProblem() {},
  });
  const config = configSchema.parse({}) as Config;
  const told = ["203.0.113.53:53", "203.0.113.54:53", "[fe80::9%6]:53"];
  for (const title of ["at first", "while it is away"]) {
    const { chosen } = await choice.prepare(config);
    assert.deepEqual(chosen.servers.servers.map(formatNameserver), told, title);
  }
  assert.equal(buses.length, 0);
  choice.close();
});

Deno.test("UpstreamChoice.follow() tells of each change that another program makes", async () => {
  const clock = new ManualClock();
  const files = new MemoryFiles({ "/etc/resolv.conf": "nameserver 192.0.2.53\n" });
  let changes = 0;
  const choice = new UpstreamChoice({
    world: {
      ...systemWorld(),
      clock,
      random: new FixedRandom(),
      files: files as unknown as Files,
      network: new FakeNetwork(clock),
    },
    log: silentLog,
    listenAddresses: () => [],
    loopProbe: { probe: () => Promise.resolve([]) },
    replaceServers() {},
    onSearchDomains() {},
    onHostChanged: () => void changes++,
    onProblem() {},
  });
  choice.follow(await choice.prepare(configSchema.parse({}) as Config));
  await clock.advance(10_000);
  assert.equal(changes, 0);
  files.write("/etc/resolv.conf", "nameserver 192.0.2.54\n");
  await clock.advance(10_000);
  assert.equal(changes, 1);
  choice.close();
});
