import assert from "node:assert/strict";
import { isIP } from "node:net";
import fc from "fast-check";
import { readHostDns } from "./host_dns.ts";
import { parseResolvConf } from "./resolv_conf.ts";

const STUB = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch corp.example\n";

Deno.test("parseResolvConf() reads what glibc reads", async (t) => {
  const cases: [string, string, Partial<ReturnType<typeof parseResolvConf>>][] = [
    ["nothing", "", { nameservers: [], searchDomains: [], options: [], problems: [] }],
    ["comments", "# nameserver 192.0.2.1\n;x\n  # y\n", { nameservers: [], problems: [] }],
    ["servers in order", "nameserver 192.0.2.2\nnameserver\t2001:db8::1\nnameserver 192.0.2.1", {
      nameservers: ["192.0.2.2", "2001:db8::1", "192.0.2.1"],
    }],
    ["no address", "nameserver\nnameserver x\n", {
      nameservers: [],
      problems: ["1: nameserver without an address", '2: nameserver "x" is not an IP address'],
    }],
    ["the last of domain and search", "search a.example b.example\ndomain C.example.\n", {
      searchDomains: ["c.example"],
    }],
    ["a bad search domain", "search a..b ok.example .\n", {
      searchDomains: ["ok.example"],
      problems: ['1: search domain "a..b" is not a domain name'],
    }],
    ["options", "options ndots:5 timeout:1\noptions rotate\n", {
      options: ["ndots:5", "timeout:1", "rotate"],
    }],
    ["a file cut short", "nameserver 192.0.2.1\nnamese", { nameservers: ["192.0.2.1"] }],
  ];
  for (const [title, text, expected] of cases) {
    await t.step(title, () => {
      const parsed = parseResolvConf(text);
      for (const [key, value] of Object.entries(expected)) {
        assert.deepEqual(parsed[key as keyof typeof parsed], value);
      }
    });
  }
});

Deno.test("parseResolvConf() reads any text, and gives nothing but addresses and names", () => {
  const word = fc.constantFrom(
    "nameserver ",
    "search ",
    "domain ",
    "options ",
    "192.0.2.1",
    "::1",
    "a.b",
    "..",
    " ",
    "\n",
    "#",
    "\t",
  );
  const text = fc.oneof(fc.string(), fc.array(word).map((words) => words.join("")));
  fc.assert(fc.property(text, (text) => {
    const { nameservers, searchDomains } = parseResolvConf(text);
    assert.ok(nameservers.every((address) => isIP(address) !== 0));
    assert.ok(searchDomains.every((domain) => domain !== "" && !/\s/.test(domain)));
  }));
});

Deno.test("readHostDns() finds the VM's own servers", async (t) => {
  const cases: [string, Record<string, string>, string[], string][] = [
    [
      "a plain file",
      { "/etc/resolv.conf": "nameserver 192.0.2.1\n" },
      ["192.0.2.1"],
      "/etc/resolv.conf",
    ],
    ["no file", {}, [], "/etc/resolv.conf"],
    ["an empty file", { "/etc/resolv.conf": "" }, [], "/etc/resolv.conf"],
    [
      "resolved's stub",
      {
        "/etc/resolv.conf": STUB,
        "/run/systemd/resolve/resolv.conf": "nameserver 192.0.2.9\nnameserver 2001:db8::9\n",
      },
      ["192.0.2.9", "2001:db8::9"],
      "/run/systemd/resolve/resolv.conf",
    ],
    [
      "resolved's stub without uplinks",
      { "/etc/resolv.conf": STUB },
      ["127.0.0.53"],
      "/etc/resolv.conf",
    ],
    [
      "our own listener beside another",
      {
        "/etc/resolv.conf": "nameserver 127.0.0.55\nnameserver 192.0.2.1\n",
      },
      ["192.0.2.1"],
      "/etc/resolv.conf",
    ],
  ];
  for (const [title, content, servers, source] of cases) {
    await t.step(title, async () => {
      const readText = (path: string) =>
        path in content
          ? Promise.resolve(content[path])
          : Promise.reject(new Error("no such file"));
      const exclude = [{ address: "127.0.0.55", port: 53 }, { address: "192.0.2.1", port: 15053 }];
      const found = await readHostDns({ files: { readText }, exclude });
      assert.deepEqual(found.servers, servers.map((address) => ({ address, port: 53 })));
      assert.equal(found.source, source);
      assert.ok(found.trace.length > 0);
    });
  }
  await t.step("search domains come from resolv.conf", async () => {
    const readText = () => Promise.resolve(STUB);
    const found = await readHostDns({ files: { readText }, exclude: [] });
    assert.deepEqual(found.searchDomains, ["corp.example"]);
  });
});
