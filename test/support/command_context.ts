/**
 * The world around a command, for tests.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { CommandContext } from "../../agent/commands/command_context.ts";
import type { Machine } from "../../agent/commands/machine.ts";
import { systemFiles } from "../../agent/system/files.ts";
import type { Network } from "../../agent/system/network.ts";
import type { Process } from "../../agent/system/process.ts";
import { systemWorld } from "../../agent/system/world.ts";
import type { MemoryVm } from "./memory_vm.ts";

/** A context, and what was printed in it. */
export interface TestContext {
  /** What a command takes. */
  context: CommandContext;
  /** All that was printed so far. */
  output(): string;
}

const PROCESS: Process = {
  environment: () => ({}),
  hostname: () => "vm-1",
  onSignal: () => () => {},
  residentBytes: () => 0,
};

/** A context with the real disk, in which nobody answers and nothing is changed, but for these changes. */
export function commandContext(changes: Partial<CommandContext> = {}): TestContext {
  let output = "";
  return {
    output: () => output,
    context: {
      print: (text) => void (output += text),
      colour: false,
      process: PROCESS,
      takeServiceStart: () => ({ manager: undefined, sockets: [] }),
      files: systemFiles,
      machine: () => assert.fail("changes nothing"),
      fetch: () => Promise.reject(new Error("connection refused")),
      control: () => Promise.reject(new Error("connection refused")),
      ...changes,
    },
  };
}

/** The same on a VM in memory, with these changes of the machine and of its network too. */
export function vmContext(
  vm: MemoryVm,
  { machine, network, ...changes }: Partial<Omit<CommandContext, "machine">> & {
    machine?: Partial<Machine>;
    network?: Partial<Network>;
  } = {},
): TestContext {
  const world = systemWorld();
  const files = {
    ...vm.world.files,
    stat: async (path: string) =>
      await vm.tree.look(path) && { mode: 0, sizeBytes: 0, modifiedMs: 0, isDirectory: false },
  } as CommandContext["files"];
  return commandContext({
    takeServiceStart: () => assert.fail("starts nothing"),
    files,
    machine: () => ({
      tree: vm.tree,
      runProgram: vm.world.runProgram,
      forgetUdpExchanges: () => assert.fail("changes nothing"),
      download: () => assert.fail("downloads nothing"),
      world: { ...world, files, network: { ...world.network, ...network } },
      program: "/opt/outrigger",
      ...machine,
    }),
    ...changes,
  });
}
