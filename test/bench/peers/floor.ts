/**
 * The C floor (floor.c): what the system calls cost alone.
 *
 * @module
 */
import { cProgram } from "../c_programs.ts";
import type { Peer } from "./peer.ts";

/** The floor. It answers every query with the same address. */
export const FLOOR: Peer = {
  name: "floor",
  abilities: ["mesh"],
  prepare: async () => void await cProgram("floor"),
  version: () => Promise.resolve("C"),
  command: async ({ address, port }) => [await cProgram("floor"), address, `${port}`],
};
