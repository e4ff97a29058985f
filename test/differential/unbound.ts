/**
 * unbound as a forwarder without validation: what outrigger is held against.
 *
 * @module
 */
import { join } from "node:path";
import { Child } from "../support/child_process.ts";

/** One unbound. */
export class Unbound implements AsyncDisposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts one that forwards everything, and waits until `isReady`. */
  static async start(
    { folder, port, upstreamPort, isReady }: {
      folder: string;
      port: number;
      upstreamPort: number;
      isReady: () => Promise<true | undefined>;
    },
  ): Promise<Unbound> {
    await Deno.mkdir(folder, { recursive: true });
    const path = join(folder, "unbound.conf");
    await Deno.writeTextFile(path, configuration(folder, port, upstreamPort));
    const child = new Child("unbound", {
      args: ["-d", "-c", path],
      cwd: folder,
      logPath: join(folder, "unbound.log"),
    });
    const unbound = new Unbound(child);
    try {
      await child.until(isReady, "unbound answers");
    } catch (error) {
      await child.end("SIGKILL");
      throw error;
    }
    return unbound;
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

function configuration(folder: string, port: number, upstreamPort: number): string {
  return `server:
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  interface: 127.0.0.1
  port: ${port}
  num-threads: 1
  incoming-num-tcp: 100
  do-ip6: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow_snoop
  # No validator: outrigger does not validate either.
  module-config: "iterator"
  # It would hold the reverse zones of documentation addresses itself.
  local-zone: "2.0.192.in-addr.arpa." transparent
  local-zone: "8.b.d.0.1.0.0.2.ip6.arpa." transparent
  edns-buffer-size: 1232
  max-udp-size: 4096
  cache-max-ttl: 86400
  cache-max-negative-ttl: 3600
  qname-minimisation: no
  prefetch: no
  serve-expired: no
  rrset-roundrobin: no
  deny-any: no
  minimal-responses: yes
  # One server that fails on purpose must not be taken for dead.
  infra-host-ttl: 0
  infra-keep-probing: yes
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${upstreamPort}
`;
}
