/**
 * The values of `capture.mode`; apart from the schema, so that the command line names them without it.
 *
 * @module
 */

/** Ways to send this machine's lookups to the agent; `installer/` knows how. */
export const CAPTURE_MODES = [
  "auto",
  "resolved",
  "networkmanager",
  "resolvconf",
  "resolv-conf",
  "nftables",
  "none",
] as const;
