/**
 * HTTP, as a port: a server for the health endpoint and a client for the commands that ask it.
 *
 * @module
 */
import type { SocketAddress } from "./socket_address.ts";

/** A running HTTP server. */
export interface HttpServer {
  /** What it is bound to, with the port that the kernel chose. */
  readonly local: SocketAddress;
  /** Answers what is under way, then closes. */
  close(): Promise<void>;
}

/** Serves HTTP/1.1. @throws the runtime's error when the address cannot be bound */
export function serveHttp(
  local: SocketAddress,
  handler: (request: Request) => Response | Promise<Response>,
): HttpServer {
  const server = Deno.serve({
    hostname: local.address,
    port: local.port,
    onListen: () => {},
    onError: (error) => {
      return new Response(`internal error: ${error instanceof Error ? error.message : error}\n`, {
        status: 500,
      });
    },
  }, handler);
  return {
    local: { address: server.addr.hostname, port: server.addr.port },
    close: () => server.shutdown(),
  };
}

/** Fetches with a time limit. @throws the runtime's error, or a TimeoutError */
export function fetchHttp(url: string, options: { timeoutMs: number }): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(options.timeoutMs), redirect: "error" });
}
