/**
 * Workers that never return to their event loop, as those of the fast path: they get no events, and take
 * messages from a port when they look (`receiveMessageOnPort`). What they report arrives as usual.
 *
 * @module
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";

/** A worker that runs. */
export interface SteeredWorker {
  /** Sends a message; it lies in the port when this returns. */
  tell(message: unknown): void;
  /** Ends it, wherever it is. */
  end(): void;
}

/** What becomes of a worker. */
export interface SteeredWorkerHandlers {
  /** It reports something. */
  onReport(report: unknown): void;
  /** It died. */
  onFailure(reason: string): void;
}

/** What a worker's program begins with. */
interface Start {
  port: MessagePort;
  parameters: unknown;
}

/** Starts the program of a module that calls {@link runSteered}. */
export function startSteeredWorker(
  program: URL,
  parameters: unknown,
  handlers: SteeredWorkerHandlers,
): SteeredWorker {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(program, { type: "module" });
  worker.onmessage = ({ data }) => handlers.onReport(data);
  worker.onerror = (event) => {
    // Or it would end the whole process.
    event.preventDefault();
    handlers.onFailure(event.message);
  };
  const start: Start = { port: port2, parameters };
  // The runtime's ports are the DOM's as well as Node's.
  worker.postMessage(start, [port2 as unknown as Transferable]);
  return {
    tell: (message) => port1.postMessage(message),
    end() {
      worker.terminate();
      port1.close();
    },
  };
}

/** A worker's side: what it calls while it runs. */
export interface Steering {
  /** The next message that lies in the port; it must be known that one does. */
  next(): unknown;
  /** Reports something to the main thread. */
  report(what: unknown): void;
}

/** Runs a worker's program, with what it was started with. */
export function runSteered(run: (parameters: unknown, steering: Steering) => void): void {
  const scope = globalThis as unknown as {
    onmessage: ((event: MessageEvent<Start>) => void) | null;
    postMessage(what: unknown): void;
  };
  scope.onmessage = ({ data: { port, parameters } }) => {
    scope.onmessage = null;
    run(parameters, {
      next: () => receiveMessageOnPort(port)!.message,
      report: (what) => scope.postMessage(what),
    });
  };
}
