/**
 * `@peculiar/x509`, with what it needs before it: the one way to it, since a bundle that is split keeps no
 * order between files.
 *
 * @module
 */
import "reflect-metadata";
import * as library from "@peculiar/x509";

/** The library. */
export const x509: typeof library = library;
