import assert from "node:assert/strict";
import { type CaptureMode, planCapture } from "../capture_plan.ts";
import type { VmFacts } from "../facts.ts";
import { describeStep } from "../steps.ts";
import {
  NETWORK_MANAGER,
  NSS_RESOLVE,
  RESOLVCONF,
  resolvConfFacts,
  RESOLVED,
  SETTINGS,
  STUB,
  UPLINK,
  vmFacts,
} from "../../test/support/vm_facts.ts";

/** The steps of a way, a line each, and the texts that are written or loaded. */
function stepsOf(facts: Partial<VmFacts>, mode: CaptureMode = "auto", settings = SETTINGS) {
  const { steps, needsPort53 } = planCapture(vmFacts(facts), mode, settings);
  const texts = steps.flatMap((step) =>
    step.kind === "write file"
      ? [step.text]
      : step.kind === "run" && step.up?.input !== undefined
      ? [step.up.input]
      : []
  );
  return { steps: steps.map(describeStep), texts, needsPort53 };
}

const RELOAD = "systemctl reload-or-restart systemd-resolved.service";

Deno.test("resolvedCapture.steps() writes a drop-in that is the last word", () => {
  const facts = { resolved: RESOLVED, resolvConf: STUB };
  const { steps, texts: [text], needsPort53 } = stepsOf(facts);
  assert.deepEqual(steps, [
    "nothing now",
    "nothing now",
    "make the folder /run/systemd/resolved.conf.d (root:root 0755), unless it is there",
    "write /run/systemd/resolved.conf.d/zz-outrigger.conf (root:root 0644)",
    "run systemctl reset-failed systemd-resolved.service",
    `run ${RELOAD}`,
  ]);
  assert.match(
    text,
    /\nDNS=\nDNS=127\.0\.0\.1:15053\nDomains=\nDomains=ns1\.svc\.cluster\.local svc\.cluster\.local cluster\.local corp\.example ~\.\n$/,
  );
  assert.equal(needsPort53, false);
});

Deno.test("resolvedCapture.steps() takes TLS off the way to loopback alone", () => {
  const resolved = { ...RESOLVED, dnsOverTls: "yes" as const };
  assert.match(stepsOf({ resolved, resolvConf: STUB }).texts[0], /\nDNSOverTLS=no\n$/);
});

Deno.test("resolvedCapture.steps() names port 53 before systemd 246, which takes no other", () => {
  const facts = { resolved: RESOLVED, resolvConf: STUB, systemdVersion: 245 };
  const { texts, needsPort53 } = stepsOf(facts);
  assert.match(texts[0], /\nDNS=127\.0\.0\.15\n/);
  assert.equal(needsPort53, true);
});

Deno.test("resolvedCapture.steps() leads a resolv.conf that goes around it to its stub", () => {
  const { steps } = stepsOf({
    resolved: RESOLVED,
    resolvConf: UPLINK,
    nsswitchHosts: NSS_RESOLVE,
  });
  assert.equal(steps.at(-1), "link /etc/resolv.conf to /run/systemd/resolve/stub-resolv.conf");
});

Deno.test("resolvConfCapture.steps() keeps search domains and options", () => {
  const { steps, texts, needsPort53 } = stepsOf({});
  assert.deepEqual(steps, ["write /etc/resolv.conf (root:root 0644)"]);
  assert.equal(
    texts[0].split("\n").slice(1).join("\n"),
    "search ns1.svc.cluster.local svc.cluster.local cluster.local corp.example\n" +
      "nameserver 127.0.0.15\noptions timeout:1 rotate\n",
  );
  assert.equal(needsPort53, true);
});

Deno.test("resolvConfCapture.steps() writes into a mount, and leaves a copy for the agent", () => {
  const text = "nameserver 192.0.2.53\n";
  const { steps, texts } = stepsOf({ resolvConf: resolvConfFacts(text, { isMount: true }) });
  assert.deepEqual(steps, [
    "write /etc/resolv.conf.before-outrigger (root:root 0644)",
    "write into /etc/resolv.conf (root:root 0644)",
  ]);
  assert.equal(texts[0], text);
});

Deno.test("networkManagerCapture.steps() has NetworkManager leave resolv.conf alone", () => {
  const { steps, texts } = stepsOf({
    networkManager: { dns: "default", rcManager: "auto" },
    resolvConf: NETWORK_MANAGER,
  });
  assert.deepEqual(steps.slice(1), [
    "make the folder /run/NetworkManager/conf.d (root:root 0755), unless it is there",
    "write /run/NetworkManager/conf.d/zz-outrigger.conf (root:root 0644)",
    "run systemctl reload NetworkManager.service",
    "write /etc/resolv.conf (root:root 0644)",
  ]);
  assert.match(texts[0], /\n\[main\]\ndns=none\n$/);
});

for (
  const [program, command] of [
    ["resolvconf", "run resolvconf -a lo.outrigger"],
    ["openresolv", "run resolvconf -m 0 -a lo.outrigger"],
  ] as const
) {
  Deno.test(`resolvconfCapture.steps() tells ${program} of an interface`, () => {
    const { steps, texts } = stepsOf({ resolvconf: program, resolvConf: RESOLVCONF });
    assert.deepEqual(steps, [command]);
    assert.equal(
      texts[0],
      "search ns1.svc.cluster.local svc.cluster.local cluster.local corp.example\n" +
        "nameserver 127.0.0.15\n",
    );
  });
}

const DNS: VmFacts["dns"] = {
  servers: [
    { address: { address: "192.0.2.53", port: 53 } },
    { address: { address: "2001:db8::53", port: 53 } },
    { address: { address: "fe80::53%2", port: 53 } },
    { address: { address: "192.0.2.54", port: 853 }, tls: {} },
  ],
  domains: [{
    domain: "corp.example",
    servers: [{ address: { address: "198.51.100.53", port: 53 } }],
  }],
  searchDomains: [],
};

Deno.test("nftablesCapture.steps() redirects queries to the nameservers in use, of both families", () => {
  const { steps, texts: [text] } = stepsOf({ dns: DNS }, "nftables");
  const forget = "run /usr/local/bin/outrigger capture forget-connections";
  assert.deepEqual(steps, ["nothing now", "run nft -f -", forget]);
  const rules = text.split("\n").filter((line) => line.includes("redirect to"))
    .map((line) => line.trim());
  assert.deepEqual(rules, [
    "ip daddr { 192.0.2.53, 198.51.100.53 } udp dport 53 counter redirect to :15053",
    "ip daddr { 192.0.2.53, 198.51.100.53 } tcp dport 53 counter redirect to :15053",
    "ip6 daddr { 2001:db8::53, fe80::53 } udp dport 53 counter redirect to :15053",
    "ip6 daddr { 2001:db8::53, fe80::53 } tcp dport 53 counter redirect to :15053",
  ]);
});

const DOCKER = { containerBridges: [{ name: "docker0", address: "172.17.0.1" }] };
const WITH_CONTAINERS = { ...SETTINGS, containers: true };

Deno.test("containerSteps() load a table of containers alone beside another way", () => {
  const { steps, texts: [, table] } = stepsOf(DOCKER, "resolv-conf", WITH_CONTAINERS);
  assert.deepEqual(steps.slice(1), [
    "nothing now",
    "run nft -f -",
    "run /usr/local/bin/outrigger capture forget-connections",
  ]);
  assert.deepEqual(
    table.split("\n").slice(4).filter((line) => !line.includes("type nat")).map((line) =>
      line.trim()
    ),
    [
      "chain redirect_containers {",
      'iifname "docker0" meta nfproto ipv4 fib daddr type != local ' +
      'fib daddr oifname != "docker0" udp dport 53 counter dnat ip to 172.17.0.1:15053',
      'iifname "docker0" meta nfproto ipv4 fib daddr type != local ' +
      'fib daddr oifname != "docker0" tcp dport 53 counter dnat ip to 172.17.0.1:15053',
      "}",
      "}",
      "",
    ],
  );
  assert.deepEqual(stepsOf(DOCKER, "resolv-conf").steps.length, 1);
  assert.deepEqual(stepsOf({}, "resolv-conf", WITH_CONTAINERS).steps.length, 1);
});

Deno.test("nftablesCapture.steps() take containers into the one table", () => {
  const { steps, texts: [table] } = stepsOf(DOCKER, "nftables", WITH_CONTAINERS);
  assert.equal(steps.length, 3);
  assert.match(
    table,
    /chain redirect_queries \{.*\n {2}chain redirect_containers \{[^}]*docker0/s,
  );
});

Deno.test("nftablesCapture.steps() redirects all queries but those to loopback on request", () => {
  const { texts: [text] } = stepsOf({ dns: { ...DNS, servers: [], domains: [] } }, "nftables", {
    ...SETTINGS,
    allNameservers: true,
  });
  assert.match(text, /ip daddr != 127\.0\.0\.0\/8 udp dport 53 counter redirect to :15053/);
  assert.match(text, /ip6 daddr != ::1 tcp dport 53 counter redirect to :15053/);
});
