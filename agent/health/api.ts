/**
 * The JSON that the health endpoint serves under `/api/v1/`, and the control socket under `/v1/`, and that
 * the commands read. Fields are added,
 * never renamed. Times are RFC 3339 texts in UTC. No field ever holds a token or a key.
 *
 * @module
 */

/** `ok` serves everything; `degraded` serves names while something is wrong; `waiting` is not ready. */
export type StatusLevel = "ok" | "degraded" | "waiting";

/** Something that is wrong, in words, with what to do about it. */
export interface StatusProblem {
  /** Stable code, upper snake case. */
  code: string;
  /** What is wrong. */
  message: string;
  /** What to do about it; empty where waiting is all. */
  remedy: string;
}

/** The answer of `GET /api/v1/status`. */
export interface StatusReport {
  /** Summary of all below. */
  status: StatusLevel;
  /** Version of the agent. */
  version: string;
  /** Seconds since the agent started. */
  uptimeSeconds: number;
  /** Where it listens: `udp://127.0.0.1:15053`, `tcp://…`. */
  listeners: string[];
  /** The workers that answer most of what is asked over UDP on this machine. */
  fastPath: FastPathStatus;
  /** What readiness still waits for; empty when ready. */
  waitingFor: string[];
  /** What is wrong now. */
  problems: StatusProblem[];
  /** Who this VM is in the mesh. */
  node: {
    /** Name, namespace, service account and cluster, as configured. */
    name: string;
    namespace: string;
    serviceAccount: string;
    cluster: string;
    network: string;
    /** The node's own addresses, as told to the control plane. */
    addresses: string[];
  };
  /** Undefined when no control plane is configured. */
  controlPlane?: ControlPlaneStatus;
  /** The name table in force. */
  names: {
    /** `control-plane`, `disk`, `files`, `control-plane+files`, `disk+files` or `none`. */
    origin: string;
    /** Version that the control plane gave it; empty for files. */
    version: string;
    /** When it was received; empty before the first. */
    receivedAt: string;
    /** Number of hosts. */
    hosts: number;
    /** Entries that were left out, and why; the first 20. */
    rejected: string[];
    /** How many were left out. */
    rejectedTotal: number;
    /** Hosts whose only addresses are automatic VIPs: `serve` or `forward`, as decided. */
    autoAllocated: "serve" | "forward";
  };
  /** Upstream servers, best first. */
  upstreams: UpstreamStatus[];
  /** The cache. */
  cache: CacheStatus;
  /** Path of the control socket; empty where it could not be opened. */
  controlSocket: string;
}

/** Whether the fast path runs. */
export interface FastPathStatus {
  /** Without it the same answers take longer. */
  state: "on" | "off";
  /** Why it is off; empty where it is on. */
  reason: string;
}

/** The cache of upstream servers' answers. */
export interface CacheStatus {
  /** Number of answers. */
  entries: number;
  /** Estimated size in octets. */
  bytes: number;
  /** Its bound. */
  maxBytes: number;
  /** Lookups since the start by what they found; `expired` and `miss` asked upstream servers. */
  lookups: Record<"positive" | "negative" | "failure" | "stale" | "expired" | "miss", number>;
  /** Answers that were due to be asked for anew before they ended. */
  prefetches: number;
  /** Answers that had to make room. */
  evictions: number;
}

/** The connection to the control plane. */
export interface ControlPlaneStatus {
  /** `connecting`, `connected`, or `waiting` until the next try. */
  state: "connecting" | "connected" | "waiting";
  /** The address in use or tried last, `host:port`. */
  address: string;
  /** Since when it is in this state. */
  since: string;
  /** The last failure; empty after a success. */
  lastError: string;
  /** The certificate. */
  certificate: {
    /** `none`, `valid`, `expired` or `unverifiable`. */
    state: "none" | "valid" | "expired" | "unverifiable";
    /** SPIFFE id in it; empty without one. */
    identity: string;
    /** End of its life; empty without one. */
    expiresAt: string;
    /** When it will be renewed; empty without one. */
    renewAt: string;
  };
}

/** One upstream server. */
export interface UpstreamStatus {
  /** `192.0.2.53:53`, `tls://192.0.2.53:853#dns.example.org`. */
  server: string;
  /** The domain that it alone is asked for; absent for all other names. */
  domain?: string;
  /** Whether it answered lately, or was not asked yet. */
  healthy: boolean;
  /** Smoothed round-trip time; absent before the first answer. */
  roundTripMs?: number;
  /** The last failure; empty after a success. */
  lastError: string;
}

/** One host in the answer of `GET /api/v1/names?pattern=…`. */
export interface NameReport {
  /** Full name; `*.example.com` for a wildcard. */
  host: string;
  /** Addresses. */
  addresses: string[];
  /** `Kubernetes` or `External`. */
  registry: string;
  /** Empty unless Kubernetes. */
  namespace: string;
  /** Further names. */
  altHosts: string[];
  /** Whether its addresses are automatic VIPs. */
  autoAllocated: boolean;
  /** Whether it is answered here (an automatic VIP may be left to the upstream servers). */
  served: boolean;
}

/** The answer of `GET /api/v1/names?pattern=…&limit=…`. */
export interface NamesReport {
  /** How many match. */
  total: number;
  /** The first of them, sorted by host; at most `limit`. */
  names: NameReport[];
}

/** The answer of `GET /api/v1/lookup?name=…&type=…`: the answer, and why. */
export interface LookupReport {
  /** The name asked. */
  name: string;
  /** The type asked, e.g. `AAAA`. */
  type: string;
  /** E.g. `NOERROR`. */
  rcode: string;
  /** Answer section, one record a line: `name ttl IN TYPE data`. */
  answers: string[];
  /** Authority section, likewise. */
  authority: string[];
  /** Which part of the agent answered: `mesh`, `local`, `cache`, `upstream` or `failure`. */
  source: string;
  /** Why, one step a line, in words. */
  why: string[];
  /** How long it took, in milliseconds. */
  tookMs: number;
}

/** The answer of `POST /v1/cache/flush?name=…` on the control socket. */
export interface CacheFlushReport {
  /** The name that was forgotten, with all below it; `.` for everything. */
  name: string;
  /** How many answers there were. */
  flushed: number;
}
