/**
 * HTTP, as a port: servers for the health endpoint and the control socket, and clients for the commands
 * that ask them.
 *
 * @module
 */
import { dirname } from "node:path";
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
  return serve(local, handler, {});
}

/**
 * Serves HTTP/1.1 and HTTP/2 by TLS.
 *
 * @param tls `certificate` and `key`, PEM
 * @throws the runtime's error when the address cannot be bound
 */
export function serveHttps(
  local: SocketAddress,
  handler: (request: Request) => Response | Promise<Response>,
  tls: { certificate: string; key: string },
): HttpServer {
  return serve(local, handler, { cert: tls.certificate, key: tls.key });
}

function serve(
  local: SocketAddress,
  handler: (request: Request) => Response | Promise<Response>,
  tls: { cert: string; key: string } | Record<never, never>,
): HttpServer {
  const server = Deno.serve({
    hostname: local.address,
    port: local.port,
    ...tls,
    onListen: () => {},
    onError: internalError,
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

/** A running HTTP server on a Unix socket. */
export interface UnixServer {
  /** Answers what is under way, closes, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves HTTP/1.1 on a Unix socket that only its owner may connect to (mode 0600). The socket of a server
 * that is gone is replaced, and the folder is made where there is none.
 *
 * @throws the runtime's error, or one that says that the path is taken: by a server, or by a file
 */
export async function serveUnix(
  path: string,
  handler: (request: Request) => Response | Promise<Response>,
): Promise<UnixServer> {
  const present = await Deno.lstat(path).catch(() => undefined);
  if (present !== undefined && !present.isSocket) throw new Error("there is a file, and no socket");
  if (await isServed(path)) throw new Error("another program serves there");
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Under another name until nobody else may connect: there is no moment at which anybody could, and
  // none without a socket at the path.
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  const server = Deno.serve({
    path: temporary,
    onListen: () => {},
    onError: internalError,
  }, handler);
  let own: Deno.FileInfo;
  try {
    await Deno.chmod(temporary, 0o600);
    own = await Deno.stat(temporary);
    await Deno.rename(temporary, path);
  } catch (error) {
    await server.shutdown();
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  return {
    async close() {
      // Not the socket of somebody who came after us.
      const now = await Deno.lstat(path).catch(() => undefined);
      if (now?.ino === own.ino) await Deno.remove(path).catch(() => {});
      await server.shutdown();
    },
  };
}

/**
 * Sends a request without a body to a server on a Unix socket.
 *
 * @returns the whole answer
 * @throws the runtime's error with its `code` (ENOENT, EACCES, ECONNREFUSED, …), or a TimeoutError
 */
export async function fetchUnix(
  path: string,
  target: string,
  options: { method: string; timeoutMs: number },
): Promise<Response> {
  // fetch hides why it could not connect.
  (await Deno.connect({ transport: "unix", path })).close();
  using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  const response = await fetch(`http://localhost${target}`, {
    client,
    method: options.method,
    redirect: "error",
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  return new Response(await response.text(), { status: response.status });
}

async function isServed(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

function internalError(error: unknown): Response {
  return new Response(`internal error: ${error instanceof Error ? error.message : error}\n`, {
    status: 500,
  });
}
