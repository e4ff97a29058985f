/**
 * What the agent answers to a question, before it is put on the wire for one client. The same shape
 * comes from the name table, the cache and the upstream servers.
 *
 * @module
 */
import { Rcode } from "./codes.ts";
import type { ResourceRecord } from "./record.ts";

/** An extended DNS error (RFC 8914): why, for people who debug. */
export interface ExtendedError {
  /** One of `ExtendedErrorCode`. */
  code: number;
  /** A sentence; may be empty. */
  text: string;
}

/** An answer to one question. Immutable: the same object may be cached and shared. */
export interface Answer {
  /** Response code; may be an extended one. */
  readonly rcode: number;
  /** AA: the data is this agent's own. */
  readonly authoritative: boolean;
  /** AD: the upstream server vouches for the data (RFC 4035 section 3.2.3). */
  readonly authenticated: boolean;
  /** Answer section. */
  readonly answers: readonly ResourceRecord[];
  /** Authority section. */
  readonly authority: readonly ResourceRecord[];
  /** Additional section without OPT, which is made anew for each client. */
  readonly additional: readonly ResourceRecord[];
  /** Sent to clients that speak EDNS. */
  readonly extendedError?: ExtendedError;
}

/** An answer that this agent gives on its own authority. */
export function localAnswer(parts: Partial<Omit<Answer, "authenticated">>): Answer {
  return {
    rcode: Rcode.NOERROR,
    authoritative: true,
    answers: [],
    authority: [],
    additional: [],
    ...parts,
    authenticated: false,
  };
}

/** An answer that carries nothing but a response code and, perhaps, the reason. */
export function failureAnswer(rcode: number, extendedError?: ExtendedError): Answer {
  return localAnswer({ rcode, authoritative: false, ...(extendedError && { extendedError }) });
}
