/**
 * The links of systemd-resolved, asked for over D-Bus. Its files of links that others than
 * systemd-networkd set up (NetworkManager, VPN clients, resolvectl) lie in a folder that only it and root
 * may read (mode 0700 on systemd 247, 252 and 257); on the bus everybody may ask.
 *
 * @module
 */
import { formatAddress } from "../dns/ip_address.ts";
import { parseName } from "../dns/name.ts";
import type { Clock } from "../system/clock.ts";
import type { ConnectLocal, LocalSocket } from "../system/local_socket.ts";
import { type DbusValue, decodeDbusMessage, encodeDbusCall } from "./dbus_message.ts";
import {
  type DnsScope,
  parseDnsOverTls,
  type ScopeDomain,
  type ScopeServer,
  withZone,
} from "./dns_scope.ts";

/** Gives the scopes of resolved's links. @throws an error in words where that cannot be told */
export type ResolvedLinks = () => Promise<DnsScope[]>;

const SYSTEM_BUS = "/run/dbus/system_bus_socket";
const RESOLVED = "org.freedesktop.resolve1";
const RESOLVED_PATH = "/org/freedesktop/resolve1";
/** How long all of it may take, in milliseconds; measured: 5 to 10. */
const TIMEOUT_MS = 2_000;
/** SD_RESOLVED_DNS: the link's servers are in use. Without a carrier or an address they are not. */
const SCOPE_DNS = 1;

/**
 * Asks for the links with servers that are in use.
 *
 * @throws an error in words when the bus or systemd-resolved is not there or does not answer
 */
export async function readResolvedLinks(
  { connectLocal, clock }: { connectLocal: ConnectLocal; clock: Clock },
): Promise<DnsScope[]> {
  const socket = await connectLocal(SYSTEM_BUS);
  const cancel = clock.schedule(TIMEOUT_MS, () => socket.close());
  try {
    const bus = new BusSession(socket);
    await bus.open();
    const indexes = linkIndexes(
      await bus.property(RESOLVED_PATH, `${RESOLVED}.Manager`, "DNSEx"),
    );
    const scopes: DnsScope[] = [];
    for (const index of indexes) {
      // A label of a path may not start with a digit: it is written by its code.
      const path = `${RESOLVED_PATH}/link/_3${index}`;
      const scope = scopeOfLink(index, await bus.properties(path, `${RESOLVED}.Link`));
      if (scope !== undefined) scopes.push(scope);
    }
    return scopes;
  } finally {
    cancel();
    socket.close();
  }
}

/** The links, in order, of the manager's `DNSEx`: `a(iiayqs)`, first the link, 0 for none. */
function linkIndexes(servers: DbusValue | undefined): number[] {
  const indexes = list(servers).map((server) => list(server)[0]);
  const links = indexes.filter((index) => typeof index === "number" && index > 0) as number[];
  return [...new Set(links)].sort((a, b) => a - b);
}

/** Reads a link's properties: `DNSEx` is `a(iayqs)`, `Domains` is `a(sb)`. */
export function scopeOfLink(
  index: number,
  properties: ReadonlyMap<string, DbusValue>,
): DnsScope | undefined {
  const mask = properties.get("ScopesMask");
  if (typeof mask === "number" && mask % 2 !== SCOPE_DNS) return undefined;
  const servers = list(properties.get("DNSEx")).flatMap((server): ScopeServer[] => {
    const [, address, port, serverName] = list(server);
    if (!(address instanceof Uint8Array) || ![4, 16].includes(address.length)) return [];
    return [{
      address: withZone(formatAddress(address), String(index)),
      ...(typeof port === "number" && port > 0 ? { port } : {}),
      ...(typeof serverName === "string" && serverName !== "" ? { serverName } : {}),
    }];
  });
  if (servers.length === 0) return undefined;
  const domains = list(properties.get("Domains")).flatMap((entry): ScopeDomain[] => {
    const [text, routeOnly] = list(entry);
    const domain = typeof text === "string" ? parseName(text) : undefined;
    return domain === undefined ? [] : [{ domain, routeOnly: routeOnly === true }];
  });
  const defaultRoute = properties.get("DefaultRoute");
  const dnsOverTls = parseDnsOverTls(String(properties.get("DNSOverTLS") ?? ""));
  return {
    source: `link ${index} of systemd-resolved`,
    link: index,
    servers,
    domains,
    ...(typeof defaultRoute === "boolean" ? { defaultRoute } : {}),
    ...(dnsOverTls === undefined ? {} : { dnsOverTls }),
  };
}

function list(value: DbusValue | undefined): DbusValue[] {
  return Array.isArray(value) ? value : [];
}

/** A connection to the system bus; one call at a time. */
class BusSession {
  readonly #socket: LocalSocket;
  #received = new Uint8Array();
  #serial = 0;

  constructor(socket: LocalSocket) {
    this.#socket = socket;
  }

  /** Who we are the bus knows from the socket (EXTERNAL without an identity). */
  async open(): Promise<void> {
    await this.#socket.write(
      new TextEncoder().encode("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"),
    );
    for (let line = await this.#line(); !line.startsWith("OK "); line = await this.#line()) {
      if (line !== "DATA") throw new Error(`The system bus refuses: "${line}"`);
    }
    await this.#call({
      destination: "org.freedesktop.DBus",
      path: "/org/freedesktop/DBus",
      interface: "org.freedesktop.DBus",
      member: "Hello",
      arguments: [],
    });
  }

  async property(path: string, of: string, name: string): Promise<DbusValue | undefined> {
    return (await this.#properties(path, "Get", [of, name]))[0];
  }

  async properties(path: string, of: string): Promise<Map<string, DbusValue>> {
    const pairs = list((await this.#properties(path, "GetAll", [of]))[0]);
    return new Map(pairs.map((pair) => [String(list(pair)[0]), list(pair)[1]]));
  }

  #properties(path: string, member: string, values: string[]): Promise<DbusValue[]> {
    return this.#call({
      destination: RESOLVED,
      path,
      interface: "org.freedesktop.DBus.Properties",
      member,
      arguments: values,
    });
  }

  async #call(call: Omit<Parameters<typeof encodeDbusCall>[0], "serial">): Promise<DbusValue[]> {
    const serial = ++this.#serial;
    await this.#socket.write(encodeDbusCall({ ...call, serial }));
    for (;;) {
      const message = decodeDbusMessage(this.#received);
      if (message === "malformed") throw new Error("The system bus sent a malformed message");
      if (message === "incomplete") {
        await this.#more();
        continue;
      }
      this.#received = this.#received.slice(message.octets);
      if (message.replySerial !== serial) continue;
      if (message.kind === "return") return message.body;
      throw new Error(`${call.destination} refuses ${call.member}: ${message.errorName}`);
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf(0x0a);
      if (end !== -1) {
        const line = new TextDecoder().decode(this.#received.subarray(0, end)).trimEnd();
        this.#received = this.#received.slice(end + 1);
        return line;
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    let more: Uint8Array | undefined;
    try {
      more = await this.#socket.read();
    } catch { /* closed, by us or by the bus */ }
    if (more === undefined) throw new Error("The system bus does not answer");
    const all = new Uint8Array(this.#received.length + more.length);
    all.set(this.#received);
    all.set(more, this.#received.length);
    this.#received = all;
  }
}
