import assert from "node:assert/strict";
import { AgentProcess } from "../support/agent_process.ts";
import { freePorts, runToEnd } from "../support/child_process.ts";
import { withResolvConf } from "../support/glibc_client.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { prepareClients, resolve } from "./clients.ts";
import { FakeUpstream } from "./fake_upstream.ts";

/** Where the agent listens for the clients: resolv.conf names no port. */
const NAMESERVER = "127.77.0.60";
const SEARCH = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"];

const hundred = (network: string) => Array.from({ length: 100 }, (_, i) => `${network}.${i + 1}`);

/** A name that is asked for, and what every client must say of it. */
interface Case {
  title: string;
  name: string;
  expected: string[] | "nxdomain" | "nodata";
  /** Set where that is more than 512 octets hold. */
  large?: true;
  /** Of clients that do not try a search list, where that is another. */
  withoutSearch?: Case["expected"];
}

const CASES: readonly Case[] = [
  { title: "full name, A", name: "web.shop.svc.cluster.local", expected: ["10.96.0.1"] },
  { title: "letter case", name: "Web.SHOP.svc.Cluster.local", expected: ["10.96.0.1"] },
  { title: "trailing dot", name: "web.shop.svc.cluster.local.", expected: ["10.96.0.1"] },
  { title: "IPv6 alone", name: "six.shop.svc.cluster.local", expected: ["fd00::6"] },
  { title: "both", name: "dual.shop.svc.cluster.local", expected: ["10.96.0.2", "fd00::2"] },
  { title: "second search domain", name: "web.shop", expected: ["10.96.0.1"] },
  { title: "third search domain", name: "web.shop.svc", expected: ["10.96.0.1"] },
  { title: "single label", name: "near", expected: ["10.96.0.9"] },
  {
    title: "single label under the VM's own domain",
    name: "tool",
    expected: ["192.0.2.82"],
    withoutSearch: "nxdomain",
  },
  { title: "single label of IPv6 elsewhere", name: "six", expected: "nxdomain" },
  {
    title: "100 addresses: TCP",
    name: "many.shop.svc.cluster.local",
    expected: hundred("10.9.0"),
    large: true,
  },
  { title: "external mesh host", name: "api.example.com", expected: ["192.0.2.90"] },
  { title: "public name", name: "public.example.org", expected: ["192.0.2.81"] },
  { title: "public alias", name: "alias.example.org", expected: ["192.0.2.81"] },
  { title: "public name, IPv6 alone", name: "six.example.org", expected: ["2001:db8::81"] },
  {
    title: "100 public addresses: TCP on both sides",
    name: "big.example.org",
    expected: hundred("198.51.100"),
    large: true,
  },
  { title: "no such mesh name", name: "nobody.shop.svc.cluster.local.", expected: "nxdomain" },
  { title: "no such public name", name: "nobody.example.org.", expected: "nxdomain" },
  { title: "name without addresses", name: "text.example.org.", expected: "nodata" },
  { title: "namespace", name: "shop.svc.cluster.local.", expected: "nodata" },
];

Deno.test("every client gets what it asks for", async (t) => {
  await using directory = await TemporaryDirectory.make();
  const folder = directory.path;
  const clients = await prepareClients(folder);
  const [upstreamPort] = await freePorts(1);
  await using upstream = await FakeUpstream.start(upstreamPort);
  await using _agent = await AgentProcess.start({
    folder: `${folder}/agent`,
    args: [
      ...["--names", new URL("mesh.yaml", import.meta.url).pathname],
      ...["--names", await directory.write("many.yaml", headlessService())],
      ...["--dns-listen", `${NAMESERVER}:53`, "--upstream", `127.0.0.1:${upstreamPort}`],
      ...SEARCH.flatMap((domain) => ["--search", domain]),
    ],
  });
  const prefix = await withResolvConf(folder, { nameserver: NAMESERVER, search: SEARCH });
  for (const client of clients) {
    for (const { title, name, expected, withoutSearch = expected, large = false } of CASES) {
      await t.step(`${client.name}: ${title}`, async () => {
        const wanted = client.searches ? expected : withoutSearch;
        const outcome = typeof wanted === "string" ? [`error: ${client.words[wanted]}`] : wanted;
        const found = await resolve(client, name, prefix);
        if (!large || !client.udpOnly) assert.deepEqual(found, outcome.toSorted());
        else {
          // Whole records in a truncated answer: without them this client would have nothing. Behind
          // a search domain, the CNAME takes the place of three.
          assert.ok(found.length >= 25, `${found.length} addresses`);
          assert.deepEqual(found.filter((address) => !outcome.includes(address)), []);
        }
      });
    }
  }
  await t.step("nothing of the mesh was asked upstream", () => {
    const names = upstream.questions.map((question) => question.split(" ")[1]);
    assert.deepEqual(names.filter((name) => name.endsWith("cluster.local")), []);
    assert.ok(upstream.questions.includes("tcp big.example.org A"));
  });
  await t.step("what dig says about the message", async (t) => {
    for (const [options, ...patterns] of DIG_CASES) {
      await t.step(options, async () => {
        const output = await runToEnd("dig", [`@${NAMESERVER}`, ...options.split(" ")]);
        for (const pattern of patterns) assert.match(output, pattern);
      });
    }
  });
});

const MANY = "many.shop.svc.cluster.local";

/** What dig is asked for, and what must be in its output. */
const DIG_CASES: readonly [string, ...RegExp[]][] = [
  [`${MANY}`, /Truncated, retrying in TCP/, /ANSWER: 100,/, /\(TCP\)/],
  [
    `${MANY} +ignore +noedns`,
    /flags: qr aa tc rd ra;/,
    /MSG SIZE {2}rcvd: (?:4\d\d|50\d|51[0-2])\b/,
  ],
  [`${MANY} +ignore +bufsize=1232`, /flags: qr aa tc rd ra;/, /udp: 1232/],
  [`${MANY} +bufsize=4096`, /flags: qr aa rd ra;/, /ANSWER: 100,/, /\(UDP\)/],
  [`${MANY} +tcp +noedns`, /flags: qr aa rd ra;/, /ANSWER: 100,/, /ADDITIONAL: 0/],
  ["public.example.org +dnssec", /flags: qr rd ra;/, /EDNS: version: 0, flags: do;/],
  ["public.example.org +cdflag +adflag", /flags: qr rd ra cd;/, /192\.0\.2\.81/],
  ["public.example.org +noedns", /ADDITIONAL: 0/, /192\.0\.2\.81/],
  ["public.example.org +edns=1 +noednsnegotiation", /status: BADVERS/, /EDNS: version: 0/],
  ["public.example.org +subnet=198.51.100.0/24", /status: NOERROR/, /ANSWER: 1,/],
  ["public.example.org +ednsopt=65001:00ff", /status: NOERROR/, /ANSWER: 1,/],
  ["public.example.org +keepopen +tcp public.example.org AAAA", /ANSWER: 1,[^]*ANSWER: 0,/],
  ["public.example.org CH", /status: REFUSED/],
  ["version.bind CH TXT", /status: REFUSED/],
  ["example.org AXFR", /Transfer failed/],
  ["example.org +opcode=notify", /status: NOTIMP/],
  ["-x 10.96.0.1", /PTR\s+web\.shop\.svc\.cluster\.local\./],
  ["web.shop.svc.cluster.local TYPE65280", /status: NOERROR/, /ANSWER: 0, AUTHORITY: 1/],
  ["PuBlIc.example.org", /^;PuBlIc\.example\.org\./m],
];

/** A headless Service with 100 endpoints. */
function headlessService(): string {
  const service = {
    kind: "Service",
    metadata: { name: "many", namespace: "shop" },
    spec: { clusterIP: "None", ports: [{ name: "http", port: 80 }] },
  };
  const slice = {
    kind: "EndpointSlice",
    metadata: {
      name: "many-1",
      namespace: "shop",
      labels: { "kubernetes.io/service-name": "many" },
    },
    addressType: "IPv4",
    endpoints: hundred("10.9.0").map((address) => ({ addresses: [address] })),
  };
  return `${JSON.stringify(service)}\n---\n${JSON.stringify(slice)}\n`;
}
