/**
 * The resolvers of this world that a VM's programs use, each as a program that is given a name.
 *
 * @module
 */
import { join } from "node:path";
import { runToEnd } from "../support/child_process.ts";
import { type RequiredProgram, requirePrograms } from "../support/required_programs.ts";

/** One resolver. */
export interface Client {
  /** What it is. */
  name: string;
  /** What must be there: a program, or the path of a file; and the package that brings it. */
  needs?: RequiredProgram;
  /** The command that asks for a name. */
  command(name: string): string[];
  /** The addresses in its output, or what went wrong; undefined where it prints them as all others do. */
  parse?(output: string): string[];
  /** Whether it tries the search list of resolv.conf. */
  searches: boolean;
  /** Set where it never asks over TCP, and takes what a truncated answer holds. */
  udpOnly?: true;
  /** Its words for a name that does not exist, and for one that has no addresses. */
  words: { nxdomain: string; nodata: string };
}

const here = import.meta.dirname!;
/** Debian's own, whose dnspython is a package; another one may come first on the path. */
const PYTHON = "/usr/bin/python3";

/** The clients, with those that must be compiled in `folder`. @throws when one cannot be compiled */
export async function prepareClients(folder: string): Promise<Client[]> {
  const clients = clientsIn(folder);
  await requirePrograms([...COMPILERS, ...clients.flatMap(({ needs = [] }) => needs)]);
  await runToEnd("musl-gcc", ["-static", "-o", join(folder, "musl"), join(here, "musl_client.c")]);
  const cares = [join(here, "cares_client.c"), "-lcares"];
  await runToEnd("gcc", ["-o", join(folder, "cares"), ...cares]);
  await runToEnd("go", ["build", "-o", join(folder, "go"), join(here, "go_client.go")], {
    env: { CGO_ENABLED: "0", GOFLAGS: "-tags=netgo" },
  });
  return clients;
}

const COMPILERS: readonly RequiredProgram[] = [
  { program: "unshare", package: "util-linux" },
  { program: "musl-gcc", package: "musl-tools" },
  { program: "gcc", package: "gcc" },
  { program: "/usr/include/ares.h", package: "libc-ares-dev" },
  { program: "go", package: "Go from https://go.dev/dl" },
];

function clientsIn(folder: string): Client[] {
  return [
    {
      name: "glibc (getent)",
      needs: { program: "getent", package: "libc-bin" },
      // Its exit code says that there is nothing; the reason it keeps to itself.
      command: (name) => ["sh", "-c", 'getent ahosts "$0" || [ $? = 2 ] && true', name],
      parse: (output) => output === "" ? ["error: nothing"] : addresses(output),
      searches: true,
      words: { nxdomain: "nothing", nodata: "nothing" },
    },
    {
      name: "glibc (Python's socket)",
      needs: { program: PYTHON, package: "python3" },
      command: (name) => [PYTHON, join(here, "glibc_client.py"), name],
      searches: true,
      words: {
        nxdomain: "Name or service not known",
        nodata: "No address associated with hostname",
      },
    },
    {
      // Debian 12's is 1.2.3; musl asks over TCP since 1.2.4.
      name: "musl",
      udpOnly: true,
      command: (name) => [join(folder, "musl"), name],
      searches: true,
      words: { nxdomain: "Name does not resolve", nodata: "Name does not resolve" },
    },
    {
      name: "c-ares",
      command: (name) => [join(folder, "cares"), name],
      searches: true,
      words: {
        nxdomain: "Domain name not found",
        nodata: "DNS server returned answer with no data",
      },
    },
    {
      name: "Go",
      command: (name) => [join(folder, "go"), name],
      searches: true,
      words: { nxdomain: "no such host", nodata: "no such host" },
    },
    {
      name: "Node (dns.lookup)",
      needs: { program: "node", package: "nodejs" },
      command: (name) => ["node", join(here, "node_client.cjs"), "lookup", name],
      searches: true,
      words: { nxdomain: "ENOTFOUND", nodata: "ENOTFOUND" },
    },
    {
      name: "Node (dns.resolve)",
      needs: { program: "node", package: "nodejs" },
      command: (name) => ["node", join(here, "node_client.cjs"), "resolve", name],
      searches: false,
      words: { nxdomain: "ENOTFOUND", nodata: "ENODATA" },
    },
    {
      name: "dnspython",
      needs: { program: "/usr/lib/python3/dist-packages/dns", package: "python3-dnspython" },
      command: (name) => [PYTHON, join(here, "dnspython_client.py"), name],
      searches: true,
      words: { nxdomain: "NXDOMAIN", nodata: "NoAnswer" },
    },
    {
      name: "dig",
      needs: { program: "dig", package: "bind9-dnsutils" },
      command: (name) => ["dig", "+search", name, "A", "+search", name, "AAAA"],
      parse: digOutput,
      searches: true,
      words: { nxdomain: "NXDOMAIN", nodata: "NOERROR" },
    },
    {
      name: "kdig",
      needs: { program: "kdig", package: "knot-dnsutils" },
      command: (name) => ["kdig", name, "A", name, "AAAA"],
      parse: digOutput,
      searches: false,
      words: { nxdomain: "NXDOMAIN", nodata: "NOERROR" },
    },
  ];
}

/** Asks for a name; the addresses, sorted, or one text `error: …`. */
export async function resolve(
  client: Client,
  name: string,
  prefix: readonly string[],
): Promise<string[]> {
  const [program, ...args] = [...prefix, ...client.command(name)];
  const output = (await runToEnd(program, args)).trim();
  const found = client.parse?.(output) ?? output.split("\n");
  return [...new Set(found)].sort();
}

/** The first word of each line. */
function addresses(output: string): string[] {
  return output.split("\n").map((line) => line.split(/\s+/)[0]);
}

/** What dig prints of several questions: their addresses, or the last response code. */
function digOutput(output: string): string[] {
  const found = [...output.matchAll(/^\S+\s+\d+\s+IN\s+(?:A|AAAA)\s+(\S+)$/gm)].map(([, data]) =>
    data
  );
  if (found.length > 0) return found;
  const codes = [...output.matchAll(/status: (\w+)/g)].map(([, code]) => code);
  return [`error: ${codes.at(-1) ?? output}`];
}
