/**
 * The ports that most parts take, together.
 *
 * @module
 */
import { type Clock, systemClock } from "./clock.ts";
import { type Files, systemFiles } from "./files.ts";
import { type ConnectLocal, connectLocal } from "./local_socket.ts";
import { type Network, systemNetwork } from "./network.ts";
import { type Random, SystemRandom } from "./random.ts";
import { type StartWorker, startWorker } from "./worker.ts";

/** The outer world, as far as a part may touch it. */
export interface World {
  /** Time. */
  clock: Clock;
  /** Randomness. */
  random: Random;
  /** The disk. */
  files: Files;
  /** Sockets. */
  network: Network;
  /** Services of this machine. */
  connectLocal: ConnectLocal;
  /** Threads of this process. */
  startWorker: StartWorker;
}

/** This machine. */
export function systemWorld(): World {
  return {
    clock: systemClock,
    random: new SystemRandom(),
    files: systemFiles,
    network: systemNetwork,
    connectLocal,
    startWorker,
  };
}
