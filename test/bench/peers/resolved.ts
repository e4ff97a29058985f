/**
 * systemd-resolved: the stub resolver of many distributions. It answers from /etc/hosts, which is the
 * only table of names that it has.
 *
 * @module
 */
import { join } from "node:path";
import { cacheFolder } from "../../../tools/cache_folder.ts";
import { runToEnd } from "../../support/child_process.ts";
import { requirePrograms } from "../../support/required_programs.ts";
import { hostsFile, type Peer, versionOf } from "./peer.ts";

const INSTALLED = "/lib/systemd/systemd-resolved";

/** Debian's systemd-resolved. */
export const RESOLVED: Peer = {
  name: "resolved",
  abilities: ["mesh", "forward", "cache"],
  prepare: async () => void await program(),
  version: async () => await versionOf(await program(), "--version"),
  async command({ folder, address, port, hosts, upstream }) {
    await Deno.writeTextFile(join(folder, "hosts"), hostsFile(hosts));
    await Deno.writeTextFile(
      join(folder, "resolved.conf"),
      [
        "[Resolve]",
        `DNS=${upstream}`,
        "FallbackDNS=",
        "Domains=~.",
        "LLMNR=no",
        "MulticastDNS=no",
        "DNSSEC=no",
        "DNSOverTLS=no",
        // Answers of a nameserver on this machine are not cached by default.
        "Cache=yes",
        "CacheFromLocalhost=yes",
        "ReadEtcHosts=yes",
        "DNSStubListener=udp",
        `DNSStubListenerExtra=udp:${address}:${port}`,
        "",
      ].join("\n"),
    );
    // It gives up root for this user, which need not exist here.
    const users = await Deno.readTextFile("/etc/passwd");
    const line = "systemd-resolve:x:64990:65534::/:/usr/sbin/nologin\n";
    const hasUser = /^systemd-resolve:/m.test(users);
    await Deno.writeTextFile(
      join(folder, "passwd"),
      users.replace(/\n?$/, "\n") + (hasUser ? "" : line),
    );
    // In a mount namespace of its own the machine's files stay as they are.
    const script = [
      "mount -t tmpfs tmpfs /run",
      "mkdir -p /run/systemd",
      "mount -t tmpfs tmpfs /etc/systemd",
      'cp "$0/resolved.conf" /etc/systemd/resolved.conf',
      'mount --bind "$0/hosts" /etc/hosts',
      'mount --bind "$0/passwd" /etc/passwd',
      'exec "$@"',
    ].join(" && ");
    return ["unshare", "--mount", "sh", "-c", script, folder, await program()];
  },
};

/**
 * The program, where the package is installed; else out of the package, which is not installed: that
 * would make the machine's own resolv.conf a link to it.
 */
async function program(): Promise<string> {
  if (await Deno.stat(INSTALLED).catch(() => undefined) !== undefined) return INSTALLED;
  const folder = join(cacheFolder("bench"), "systemd-resolved");
  const path = join(folder, "root", INSTALLED);
  if (await Deno.stat(path).catch(() => undefined) !== undefined) return path;
  await requirePrograms([{ program: "apt-get", package: "apt" }]);
  await Deno.mkdir(folder, { recursive: true });
  const fetch = "apt-get -qq download systemd-resolved 2>/dev/null && " +
    "dpkg-deb -x systemd-resolved_*.deb root";
  await runToEnd("sh", ["-c", fetch], { cwd: folder });
  return path;
}
