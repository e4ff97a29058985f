/**
 * What the doctor looks at, and with what.
 *
 * @module
 */
import type { Config } from "../agent/config/config.ts";
import type { FileTree } from "../agent/system/file_tree.ts";
import type { RunProgram } from "../agent/system/programs.ts";
import type { World } from "../agent/system/world.ts";
import type { VmFacts } from "../installer/facts.ts";
import type { CaptureRequest } from "../installer/installer.ts";

/** What is looked at, and with what. */
export interface DoctorOptions {
  /** Time, sockets, files. */
  world: World;
  /** The file system. */
  tree: FileTree;
  /** Other programs. */
  runProgram: RunProgram;
  /** Fetches from the agent. */
  fetch(url: string): Promise<Response>;
  /** Facts of the VM as it is without outrigger. */
  probeVm(): Promise<VmFacts>;
  /** The service's configuration, or one with defaults where `problem` says why that is not known. */
  config: { value: Config; problem: string; isDenied: boolean; health: string };
  /** How it wants lookups to be sent to the agent. */
  capture: CaptureRequest;
}
