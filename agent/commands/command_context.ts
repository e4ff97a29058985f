/**
 * What a command may use of the world around it: tests give their own.
 *
 * @module
 */
import type { Files } from "../system/files.ts";
import type { InheritedSocket } from "../system/inherited_sockets.ts";
import type { Machine } from "./machine.ts";
import type { Process } from "../system/process.ts";
import type { ServiceManager } from "../system/service_manager.ts";

/** What the program was started with, beside its arguments. */
export interface ServiceStart {
  /** Who is told how it is; undefined where nobody asked. */
  manager: ServiceManager | undefined;
  /** Sockets that it holds. */
  sockets: readonly InheritedSocket[];
}

/** The world around a command. */
export interface CommandContext {
  /** Writes to standard output; the text ends with its own newline. */
  print(text: string): void;
  /** Whether standard output is a terminal that may show colour. */
  colour: boolean;
  /** The process. */
  process: Process;
  /** Takes over what a service manager handed to this process. @throws AgentError */
  takeServiceStart(): ServiceStart;
  /** The disk. */
  files: Files;
  /** This machine, for the commands that change it. */
  machine(): Machine;
  /** Fetches from an agent. @throws the network's error */
  fetch(url: string): Promise<Response>;
  /** Sends a request to an agent's control socket. @throws the runtime's error with its `code` */
  control(socket: string, target: string): Promise<Response>;
}
