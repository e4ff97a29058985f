/**
 * The control socket: the requests that change something, over HTTP on a Unix socket of the agent's user
 * alone. The health endpoint never changes anything: whoever may connect to a loopback port may be
 * anybody on this VM, or a web page in a browser there.
 *
 * @module
 */
import { formatName, parseName } from "../dns/name.ts";
import { serveUnix, type UnixServer } from "../system/http.ts";
import type { CacheFlushReport } from "./api.ts";
import { ControlListenError } from "./errors.ts";

/** What can be asked for. */
export interface ControlActions {
  /** Forgets cached answers for a canonical name and those below it; returns how many. */
  flushCache: (domain: string) => number;
}

/** Routes by path. */
const ROUTES: Record<string, (actions: ControlActions, parameters: URLSearchParams) => Response> = {
  "/v1/cache/flush": ({ flushCache }, parameters) => {
    const text = parameters.get("name") ?? ".";
    const name = parseName(text);
    if (name === undefined) return failure(400, `name "${text}" is not a domain name`);
    const report: CacheFlushReport = { name: formatName(name), flushed: flushCache(name) };
    return json(200, report);
  },
};

/** Answers the requests of the control socket. */
export function controlHandler(actions: ControlActions): (request: Request) => Response {
  return (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : undefined;
    if (route === undefined) return failure(404, `nothing at ${pathname}`);
    if (request.method === "POST") return route(actions, searchParams);
    const refused = failure(405, "only POST: every request here changes something");
    refused.headers.set("allow", "POST");
    return refused;
  };
}

/** The control socket of one agent. */
export class ControlSocket {
  readonly #handler: (request: Request) => Response;
  #path = "";
  #server: UnixServer | undefined;

  /** Wires the parts; does nothing yet. */
  constructor(actions: ControlActions) {
    this.#handler = controlHandler(actions);
  }

  /** Where it listens; empty where it does not. */
  get path(): string {
    return this.#server === undefined ? "" : this.#path;
  }

  /**
   * Listens at `path`, and no more where it did before. What an agent that is gone left behind there is
   * replaced.
   *
   * @throws {ControlListenError} when it cannot listen there, or another agent does
   */
  async listen(path: string): Promise<void> {
    if (this.path === path) return;
    await this.close();
    try {
      this.#server = await serveUnix(path, this.#handler);
      this.#path = path;
    } catch (cause) {
      throw new ControlListenError(path, cause);
    }
  }

  /** Answers what is under way, closes, and removes the socket. */
  async close(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }
}

function json(status: number, body: unknown): Response {
  return new Response(`${JSON.stringify(body, null, 2)}\n`, {
    status,
    headers: { "content-type": "application/json" },
  });
}

function failure(status: number, error: string): Response {
  return json(status, { error });
}
