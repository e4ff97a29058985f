/**
 * All that a VM has on its disk, to be held against what it had before.
 *
 * @module
 */
import { runToEnd } from "../support/child_process.ts";
import type { VirtualMachine } from "./virtual_machine.ts";

/** What changes by itself: logs, seeds, times, caches of the loader and of systemd. */
const BY_ITSELF = [
  "/var/log/*",
  "/var/lib/systemd/*",
  "/var/tmp/*",
  "/var/cache/ldconfig/*",
  // Leases, with their times.
  "/var/lib/dhcp/*",
  "/var/lib/dhcpcd/*",
  "/var/lib/NetworkManager/*",
  // The user databases' copies of before the last change.
  "/etc/passwd-",
  "/etc/group-",
  "/etc/shadow-",
  "/etc/gshadow-",
];
const FOLDERS = ["/etc", "/usr", "/var", "/opt", "/root", "/home", "/srv"];

/** Each path with its type, mode, owner, link target, extended attributes and content's hash. */
export async function filesOf(vm: VirtualMachine): Promise<Map<string, string>> {
  const unless = BY_ITSELF.flatMap((path) => ["-not", "-path", path]);
  const facts = await vm.run([
    ...["find", ...FOLDERS, ...unless, "-printf", String.raw`%p\t%y %m %U:%G %l\n`],
  ]);
  const files = new Map(
    facts.trim().split("\n").map((line) => line.split("\t") as [string, string]),
  );
  const hashes = await vm.run([
    ...["find", ...FOLDERS, ...unless, "-type", "f", "-exec", "sha256sum", "{}", "+"],
  ]);
  for (const line of hashes.trim().split("\n")) {
    const [hash, path] = line.split(/ +(.*)/s);
    files.set(path, `${files.get(path)} ${hash}`);
  }
  for (const [path, attributes] of await attributesOf(vm)) {
    if (files.has(path)) files.set(path, `${files.get(path)} ${attributes}`);
  }
  return files;
}

/** The extended attributes of each path that has some; by the host's program, since few VMs have it. */
async function attributesOf(vm: VirtualMachine): Promise<Map<string, string>> {
  const root = vm.pathOnHost("");
  const text = await runToEnd("getfattr", [
    ...["--recursive", "--physical", "--no-dereference", "--absolute-names"],
    ...["--dump", "--match=-", "--encoding=hex", "--"],
    ...FOLDERS.map((folder) => `${root}${folder}`),
  ]);
  const blocks = text.split("\n\n").filter((block) => block.trim() !== "");
  return new Map(blocks.map((block) => {
    const [path, ...attributes] = block.trim().split("\n");
    return [path.slice(`# file: ${root}`.length), attributes.join(" ")];
  }));
}

/** What differs, a line each. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort()
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${path}: ${before.get(path) ?? "absent"} -> ${after.get(path) ?? "absent"}`);
}
