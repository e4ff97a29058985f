import assert from "node:assert/strict";
import {
  parseContainerBridges,
  parseListeners,
  parseMountPoints,
  parseNetworkManagerMain,
  parseNsswitchHosts,
  parseResolvectlLines,
  redirectsDnsByIstio,
} from "./program_output.ts";

Deno.test("parseListeners() reads ss, of iproute2 5.10 to 6.15", () => {
  const text = [
    'udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=59,fd=13))',
    'udp UNCONN 0 0 127.0.0.1:15053 0.0.0.0:* users:(("outrigger",pid=90,fd=3),("systemd",pid=1,fd=40))',
    'tcp LISTEN 0 4096 [::1]:15053 [::]:* users:(("systemd",pid=1,fd=41))',
    'tcp LISTEN 0 32 *:53 *:* users:(("dnsmasq",pid=7,fd=6))',
    'tcp LISTEN 0 32 *:53 *:* users:(("dnsmasq",pid=7,fd=7))',
    "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*",
    "udp UNCONN 0 0 192.168.122.1:53 0.0.0.0:*",
    "",
  ].join("\n");
  assert.deepEqual(parseListeners(text, [53, 15053]), [
    { address: "127.0.0.53", port: 53, program: "systemd-resolve" },
    { address: "127.0.0.1", port: 15053, program: "systemd" },
    { address: "::1", port: 15053, program: "systemd" },
    { address: "::", port: 53, program: "dnsmasq" },
    { address: "192.168.122.1", port: 53, program: undefined },
  ]);
});

Deno.test("parseContainerBridges() finds bridges of engines that have an address", () => {
  const text = JSON.stringify([
    { ifname: "lo", addr_info: [{ local: "127.0.0.1" }] },
    { ifname: "docker0", addr_info: [{ local: "192.0.2.1", prefixlen: 24 }] },
    { ifname: "br-0123456789ab", addr_info: [] },
    { ifname: "virbr0", addr_info: [{ local: "198.51.100.1" }] },
  ]);
  assert.deepEqual(parseContainerBridges(text), [{ name: "docker0", address: "192.0.2.1" }]);
  for (const nothing of ["", "[", "[]"]) assert.deepEqual(parseContainerBridges(nothing), []);
});

const nsswitch: [text: string, words: string[]][] = [
  ["passwd: files\nhosts:          files resolve [!UNAVAIL=return] dns\n", [
    "files",
    "resolve",
    "[!UNAVAIL=return]",
    "dns",
  ]],
  ["# hosts: dns\nhosts: files # dns\n", ["files"]],
  ["", []],
];
for (const [text, words] of nsswitch) {
  Deno.test(`parseNsswitchHosts() reads ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseNsswitchHosts(text), words);
  });
}

Deno.test("parseResolvectlLines() reads the machine's value and each link's", () => {
  const text = "Global: ~.\nLink 2 (eth0): corp.example\nLink 5 (wg0): ~corp.example ~.\n";
  assert.deepEqual([...parseResolvectlLines(text)], [
    ["Global", "~."],
    ["eth0", "corp.example"],
    ["wg0", "~corp.example ~."],
  ]);
});

Deno.test("parseNetworkManagerMain() reads the section main alone", () => {
  const text =
    "# NetworkManager configuration: (etc: a.conf)\n\n[main]\n# plugins=\nplugins=ifupdown\n" +
    "dns=none\n\n[ifupdown]\nrc-manager=file\n";
  const main = parseNetworkManagerMain(text);
  assert.deepEqual([...main], [["plugins", "ifupdown"], ["dns", "none"]]);
});

Deno.test("parseMountPoints() reads mountinfo", () => {
  const text = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" +
    "90 22 8:1 /r /etc/resolv.conf rw - ext4 /dev/sda1 rw\n91 22 0:5 / /a\\040b rw - tmpfs t rw\n";
  assert.deepEqual(parseMountPoints(text), ["/", "/etc/resolv.conf", "/a b"]);
});

const rules: [name: string, text: string, expected: boolean][] = [
  [
    "iptables-save with Istio's DNS rules",
    "-A ISTIO_OUTPUT -d 192.0.2.53/32 -p udp -m udp --dport 53 -j REDIRECT --to-ports 15053\n",
    true,
  ],
  [
    "iptables-save with Istio's traffic rules alone",
    "-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001\n",
    false,
  ],
  [
    "nft with Istio's chain",
    "table ip nat {\n\tchain ISTIO_OUTPUT {\n\t\tudp dport 53 counter redirect to :15053\n\t}\n}\n",
    true,
  ],
  [
    "nft with our own table",
    "table inet outrigger {\n\tchain redirect_queries {\n\t\tip daddr 192.0.2.53 udp dport 53 counter redirect to :15053\n\t}\n}\n",
    false,
  ],
  ["nothing", "", false],
];
for (const [name, text, expected] of rules) {
  Deno.test(`redirectsDnsByIstio() of ${name}`, () => {
    assert.equal(redirectsDnsByIstio(text), expected);
  });
}
