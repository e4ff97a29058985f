/**
 * Every server that is measured.
 *
 * @module
 */
import { COREDNS } from "./coredns.ts";
import { DNSMASQ } from "./dnsmasq.ts";
import { FLOOR } from "./floor.ts";
import { ISTIO } from "./istio.ts";
import { KNOT_RESOLVER } from "./knot_resolver.ts";
import { OUTRIGGER } from "./outrigger.ts";
import type { Peer } from "./peer.ts";
import { RESOLVED } from "./resolved.ts";
import { UNBOUND } from "./unbound.ts";

/** In the order of the table. */
export const PEERS: readonly Peer[] = [
  OUTRIGGER,
  FLOOR,
  UNBOUND,
  DNSMASQ,
  KNOT_RESOLVER,
  COREDNS,
  ISTIO,
  RESOLVED,
];
