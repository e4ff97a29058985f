/**
 * Lookups as a VM's programs make them: glibc through nsswitch (`getent`), resolved's own client
 * (`resolvectl`), and the stub listener (`dig`).
 *
 * @module
 */
import type { VirtualMachine } from "./virtual_machine.ts";

/** systemd-resolved's stub listener. */
export const STUB = "127.0.0.53";
/** The agent itself, behind systemd-resolved's back. */
export const AGENT = "127.0.0.1:15053";

/** What `dig` was answered. */
export interface DigAnswer {
  /** E.g. `NOERROR`; empty where nothing came. */
  status: string;
  /** E.g. `qr rd ra`. */
  flags: string[];
  /** Data of the answer's records, sorted. */
  data: string[];
  /** Longest time to live in the answer, in seconds. */
  ttlSeconds: number;
}

/** Asks with `dig`, once. */
export async function dig(
  vm: VirtualMachine,
  name: string,
  { type = "A", server = STUB, options = [], user }: {
    type?: string;
    server?: string;
    options?: readonly string[];
    user?: string;
  } = {},
): Promise<DigAnswer> {
  const [address, port = "53"] = server.split(":");
  const { stdout } = await vm.attempt([
    ...["dig", `@${address}`, "-p", port, "+tries=1", "+time=5", ...options, name, type],
  ], { user });
  const section = /;; ANSWER SECTION:\n([^]*?)\n\n/.exec(stdout)?.[1] ?? "";
  const records = section.split("\n").filter((line) => line !== "").map((line) =>
    /^\S+\s+(\d+)\s+IN\s+\S+\s+(.*)$/.exec(line)!
  );
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? "",
    flags: (/;; flags: ([^;]*);/.exec(stdout)?.[1] ?? "").split(" "),
    data: records.map(([, , data]) => data).sort(),
    ttlSeconds: Math.max(0, ...records.map(([, ttl]) => Number(ttl))),
  };
}

/** Addresses that a program gets from glibc; none where there is no such name. */
export async function getent(
  vm: VirtualMachine,
  name: string,
  database: "ahosts" | "ahostsv4" | "ahostsv6" = "ahosts",
): Promise<string[]> {
  const { stdout } = await vm.attempt(["getent", database, name]);
  const addresses = stdout.split("\n").flatMap((line) => /^(\S+)\s/.exec(line)?.[1] ?? []);
  return [...new Set(addresses)].sort();
}

/** Addresses that `resolvectl query` prints, or its complaint. */
export async function resolvectlQuery(
  vm: VirtualMachine,
  name: string,
  options: readonly string[] = [],
): Promise<string[] | string> {
  const { code, stdout, stderr } = await vm.attempt([
    ...["resolvectl", "query", "--legend=no", ...options, name],
  ]);
  if (code !== 0) return stderr.trim();
  // `NAME: ADDRESS`, then more addresses below the first.
  const line = /(?:^ +|: )([\da-f]+[.:][\da-f.:]+)(?: |$)/gm;
  return [...stdout.matchAll(line)].map(([, address]) => address).sort();
}

/**
 * What each kind of program finds under a name, by program: `getent`, `dig` (by resolv.conf), `curl`, Python,
 * and `resolvectl` where systemd-resolved runs.
 */
export async function everyLookup(
  vm: VirtualMachine,
  name: string,
): Promise<Record<string, string[]>> {
  const words = async (command: string[]) => (await vm.attempt(command)).stdout.trim().split(/\s+/);
  // It says whom it is about to connect to; nobody is there.
  const curl = await vm.attempt([
    ...["curl", "--silent", "--verbose", "--ipv4", "--connect-timeout", "0.2", `http://${name}/`],
  ]);
  const python = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))";
  const { code } = await vm.attempt(["systemctl", "is-active", "--quiet", "systemd-resolved"]);
  return {
    getent: await getent(vm, name, "ahostsv4"),
    dig: await words(["dig", "+short", "+tries=1", "+time=5", name, "A"]),
    curl: [...curl.stderr.matchAll(/Trying ([\d.]+):80/g)].map(([, address]) => address),
    python: await words(["python3", "-c", python, name]),
    ...code === 0 && { resolvectl: [await resolvectlQuery(vm, name, ["-4"])].flat() },
  };
}

/** Asks until the answer is this address, for 40 s at most. */
export async function untilAnswered(
  ask: () => Promise<DigAnswer>,
  address: string,
): Promise<void> {
  const endMs = performance.now() + 40_000;
  for (;;) {
    const { data } = await ask();
    if (data.join() === address) return;
    if (performance.now() > endMs) throw new Error(`the answer is ${data}, not ${address}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
