/**
 * How this node sees the table, in the form that the fast path reads: what `MeshView` says, as names in
 * wire form. Made at each change of table or view, so it may allocate.
 *
 * @module
 */
import { encodeName, isWithin } from "../dns/name.ts";
import { meshSearchDomains, type MeshView } from "../names/mesh_lookup.ts";

/** A domain that is cut off a name. */
export interface FastSearchDomain {
  /** Wire form without the root's octet. */
  name: Uint8Array;
  /** Whether short forms count under it: it is the mesh's, and not the VM's own. */
  isMesh: boolean;
}

/** What a worker is told beside the table; posted to it, so it is plain data. */
export interface FastView {
  /** Wire form without the root's octet. */
  clusterDomain: Uint8Array;
  /** What is put behind a short form, in the order of the tries; wire forms without the root's octet. */
  shortFormDomains: Uint8Array[];
  /** What is cut off, in the order of the tries. */
  searchDomains: FastSearchDomain[];
  /** Whether hosts with nothing but automatic VIPs are answered. */
  serveAutoAllocated: boolean;
}

/** The view in the fast path's form. */
export function fastView(view: MeshView): FastView {
  return {
    clusterDomain: wire(view.clusterDomain),
    shortFormDomains: meshSearchDomains(view).map(wire),
    searchDomains: view.searchDomains
      // The root is no domain that a stub would append.
      .filter((domain) => domain !== "")
      .map((domain) => ({ name: wire(domain), isMesh: isWithin(domain, view.clusterDomain) })),
    serveAutoAllocated: view.serveAutoAllocated,
  };
}

function wire(name: string): Uint8Array {
  return encodeName(name).slice(0, -1);
}
