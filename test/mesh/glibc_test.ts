import assert from "node:assert/strict";
import { AgentProcess } from "../support/agent_process.ts";
import { Child, freePorts } from "../support/child_process.ts";
import { CountingRelay, getent, withResolvConf } from "../support/glibc_client.ts";
import { RealMesh } from "./real_mesh.ts";

const NAME = "productpage.ns1.svc.cluster.local";
const ADDRESS = "10.96.1.1";
const SEARCH = [
  "vm.svc.cluster.local",
  "svc.cluster.local",
  "cluster.local",
  "corp.example",
  "lab.corp.example",
];

Deno.test("a glibc client with ndots:5 and five search domains: 12 queries become 2", async (t) => {
  await using mesh = await RealMesh.start();
  const { folder } = mesh;

  await t.step("12 against a plain upstream that knows the name", async () => {
    const [port] = await freePorts(1);
    await using upstream = new Child("dnsmasq", {
      cwd: folder,
      logPath: `${folder}/dnsmasq.log`,
      args: [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        `--port=${port}`,
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        "--no-resolv",
        "--no-hosts",
        `--host-record=${NAME},${ADDRESS}`,
        "--local=/cluster.local/",
        "--local=/corp.example/",
      ],
    });
    await using relay = await CountingRelay.start("127.77.0.53", port);
    const prefix = await withResolvConf(folder, { nameserver: "127.77.0.53", search: SEARCH });
    await upstream.until(async () => (await getent(prefix, NAME)).join() || undefined, "dnsmasq");
    relay.questions.length = 0;
    assert.deepEqual(await getent(prefix, NAME), [ADDRESS]);
    assert.equal(relay.questions.length, 12, relay.questions.join("\n"));
  });

  await t.step("2 against outrigger, and the same address", async () => {
    await using agent = await AgentProcess.start({
      folder: `${folder}/agent`,
      args: [
        ...["--from", await mesh.vmFiles("vm"), "--upstream", "127.0.0.1:9"],
        ...SEARCH.flatMap((domain) => ["--search", domain]),
      ],
    });
    await agent.untilConnected();
    await using relay = await CountingRelay.start("127.77.0.54", agent.ports.dns);
    const prefix = await withResolvConf(folder, { nameserver: "127.77.0.54", search: SEARCH });
    assert.deepEqual(await getent(prefix, NAME), [ADDRESS]);
    assert.deepEqual(relay.questions.toSorted(), [
      `${NAME}.vm.svc.cluster.local A`,
      `${NAME}.vm.svc.cluster.local AAAA`,
    ]);
  });
});
