/**
 * The health endpoint: liveness, readiness, metrics, and what the agent knows, over HTTP on loopback.
 * Read-only. A request whose Host is a name of somebody else's is refused, so that no web page can read
 * it through a browser on this VM (DNS rebinding).
 *
 * @module
 */
import { isIP } from "node:net";
import { parseType } from "../dns/codes.ts";
import { parseName } from "../dns/name.ts";
import { PAGE_HEADERS } from "../html_page.ts";
import type { AgentMetrics } from "../metrics/agent_metrics.ts";
import { type HttpServer, serveHttp } from "../system/http.ts";
import type { SocketAddress } from "../system/socket_address.ts";
import type { LookupReport, NamesReport, StatusReport } from "./api.ts";
import { HealthListenError } from "./errors.ts";
import type { Readiness } from "./readiness.ts";
import { statusPage } from "./status_page.ts";

/** What the endpoint tells. */
export interface HealthSources {
  /** What is waited for. */
  readiness: Readiness;
  /** The counters. */
  metrics: Pick<AgentMetrics, "expose">;
  /** What is going on. */
  status: () => StatusReport;
  /** The name table. */
  names: (options: { pattern: string; limit: number }) => NamesReport;
  /** One answer, and why; `name` is canonical. */
  lookup: (name: string, type: number) => Promise<LookupReport>;
}

/** How many names are listed unless asked for more. */
export const NAMES_LIMIT_DEFAULT = 1_000;

/** Routes by path, with what they are for. */
const ROUTES: Record<string, { about: string; answer: Route }> = {
  "/healthz/live": {
    about: "200 while the agent runs",
    answer: () => text(200, "ok\n"),
  },
  "/healthz/ready": {
    about: "200 when ready, else 503 with what is waited for",
    answer: ({ readiness }) => {
      const waiting = readiness.waitingFor();
      return waiting.length === 0
        ? text(200, "ready\n")
        : text(503, `waiting for\n${waiting.map((line) => `  ${line}\n`).join("")}`);
    },
  },
  "/metrics": {
    about: "Prometheus metrics",
    answer: async ({ metrics }) => {
      const { contentType, body } = await metrics.expose();
      return reply(200, body, contentType);
    },
  },
  "/api/v1/status": {
    about: "what is going on, and what is wrong",
    answer: ({ status }) => json(200, status()),
  },
  "/api/v1/names": {
    about: "the name table; ?pattern=*.ns1.*&limit=100",
    answer: ({ names }, parameters) => {
      const limit = parameters.get("limit") ?? String(NAMES_LIMIT_DEFAULT);
      if (!/^\d{1,7}$/.test(limit)) return failure(400, `limit "${limit}" is not a whole number`);
      return json(200, names({ pattern: parameters.get("pattern") ?? "", limit: Number(limit) }));
    },
  },
  "/api/v1/lookup": {
    about: "one answer, and why; ?name=productpage.ns1&type=A",
    answer: async ({ lookup }, parameters) => {
      const name = parseName(parameters.get("name") ?? "");
      if (name === undefined) {
        return failure(400, `name "${parameters.get("name") ?? ""}" is not a domain name`);
      }
      const type = parseType(parameters.get("type") ?? "A");
      if (type === undefined) {
        return failure(
          400,
          `type "${parameters.get("type")}" is not a record type, e.g. A or TYPE65`,
        );
      }
      return json(200, await lookup(name, type));
    },
  },
};

type Route = (
  sources: HealthSources,
  parameters: URLSearchParams,
) => Response | Promise<Response>;

/** Answers the requests of the health endpoint. */
export function healthHandler(
  sources: HealthSources,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    if (!isOwnHost(request.headers.get("host") ?? url.host)) {
      return failure(421, "this Host is not answered here: use an IP address or localhost");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      const refused = failure(405, "only GET and HEAD: nothing can be changed here");
      refused.headers.set("allow", "GET, HEAD");
      return refused;
    }
    if (url.pathname === "/") return page(sources.status());
    const route = ROUTES[url.pathname];
    if (route === undefined) return text(404, index());
    return await route.answer(sources, url.searchParams);
  };
}

/** The endpoint on a socket. */
export class HealthServer {
  readonly #server: HttpServer;

  /**
   * Opens the socket and serves.
   *
   * @throws {HealthListenError} when the address cannot be bound
   */
  constructor(listen: SocketAddress, sources: HealthSources) {
    try {
      this.#server = serveHttp(listen, healthHandler(sources));
    } catch (cause) {
      throw new HealthListenError(listen, cause);
    }
  }

  /** What it is bound to. */
  get local(): SocketAddress {
    return this.#server.local;
  }

  /** Answers what is under way, then closes. */
  close(): Promise<void> {
    return this.#server.close();
  }
}

/** An IP address or `localhost`, with or without a port: what cannot be somebody else's domain. */
function isOwnHost(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return isIP(name) !== 0 || name.toLowerCase() === "localhost";
}

function index(): string {
  const lines = Object.entries(ROUTES).map(([path, { about }]) => `${path.padEnd(16)} ${about}\n`);
  return `outrigger\n\n${lines.join("")}`;
}

function page(status: StatusReport): Response {
  const links = Object.entries(ROUTES).map(([path, { about }]) => ({ path, about }));
  const response = reply(200, statusPage(status, links), "text/html; charset=utf-8");
  for (const [name, value] of Object.entries(PAGE_HEADERS)) response.headers.set(name, value);
  return response;
}

function text(status: number, body: string): Response {
  return reply(status, body, "text/plain; charset=utf-8");
}

function json(status: number, body: unknown): Response {
  return reply(status, `${JSON.stringify(body, null, 2)}\n`, "application/json");
}

function failure(status: number, error: string): Response {
  return json(status, { error });
}

function reply(status: number, body: string, contentType: string): Response {
  return new Response(body, {
    status,
    headers: {
      "content-type": contentType,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
