/**
 * This machine's own way to find a host, for what runs before there is an agent.
 *
 * @module
 */
import { lookup } from "node:dns/promises";

/** The addresses of a host, as getaddrinfo(3) has them. @throws the runtime's error */
export async function resolveBySystem(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
