/**
 * Workers, as a port: a program of its own thread that answers one request after the other.
 *
 * @module
 */

/** A worker that runs. */
export interface RunningWorker {
  /**
   * Sends a request, which is copied save for shared memory and for what is moved; gives the answer.
   *
   * @param moved what is in the request and not needed here any more
   * @throws {Error} when the worker cannot be started, dies, or is ended
   */
  request(message: unknown, moved?: ArrayBufferLike[]): Promise<unknown>;
  /** Ends it; what waits for an answer gets an error. */
  close(): void;
}

/** Starts the program of a module that calls {@link serveRequests}; what fails then, a request tells. */
export type StartWorker = (program: URL) => RunningWorker;

/** Starts a worker of this machine. */
export const startWorker: StartWorker = (program): RunningWorker => {
  const worker = new Worker(program, { type: "module" });
  const waiting: PromiseWithResolvers<unknown>[] = [];
  let failure: Error | undefined;
  const fail = (reason: string) => {
    failure ??= new Error(reason);
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  worker.onmessage = ({ data }) => waiting.shift()?.resolve(data);
  worker.onmessageerror = () => fail("the worker's answer cannot be read");
  worker.onerror = (event) => {
    // Or it would end the whole process.
    event.preventDefault();
    fail(event.message);
  };
  return {
    request(message, moved = []) {
      const answer = Promise.withResolvers<unknown>();
      if (failure !== undefined) return Promise.reject(failure);
      waiting.push(answer);
      worker.postMessage(message, moved as ArrayBuffer[]);
      return answer.promise;
    },
    close() {
      worker.terminate();
      fail("the worker was ended");
    },
  };
};

/** Answers each request that comes, in a worker. */
export function serveRequests(answer: (message: unknown) => unknown): void {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<unknown>) => void;
    postMessage(message: unknown): void;
  };
  scope.onmessage = ({ data }) => scope.postMessage(answer(data));
}
