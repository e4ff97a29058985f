/**
 * What a service manager hands to a process it starts, as environment variables (sd_listen_fds(3),
 * sd_notify(3), sd_watchdog_enabled(3)): taken once, and gone from the environment afterwards, so that
 * no child process takes them for its own.
 *
 * @module
 */

/** A file descriptor that was open when the process started. */
export interface InheritedDescriptor {
  /** The descriptor. */
  fd: number;
  /** What the unit calls it; empty where it has no name. */
  name: string;
}

/** What was handed over. */
export interface ServiceVariables {
  /** Where the service manager listens: a path, or `@` and an abstract name. */
  notifySocket?: string;
  /** How often it wants to hear that the process is well, in milliseconds. */
  watchdogMs?: number;
  /** Sockets that it holds. */
  descriptors: InheritedDescriptor[];
}

/** An environment, as far as it is needed here. */
export interface Environment {
  /** A variable's value. */
  get(name: string): string | undefined;
  /** Removes a variable. */
  delete(name: string): unknown;
}

/** The first descriptor after standard input, output and error: SD_LISTEN_FDS_START. */
const FIRST_FD = 3;
/** No unit has more; a number beyond is no number of descriptors. */
const DESCRIPTORS_MAX = 1024;

/**
 * Takes the variables out of an environment.
 *
 * @param pid the process's own: what is meant for another process is passed over, and removed as well
 */
export function takeServiceVariables(environment: Environment, pid: number): ServiceVariables {
  const take = (name: string): string => {
    const value = environment.get(name) ?? "";
    environment.delete(name);
    return value;
  };
  const notifySocket = take("NOTIFY_SOCKET");
  const watchdogUs = wholeNumber(take("WATCHDOG_USEC"));
  const watchdogPid = take("WATCHDOG_PID");
  const count = wholeNumber(take("LISTEN_FDS"));
  const listenPid = take("LISTEN_PID");
  const names = take("LISTEN_FDNAMES").split(":");
  // Without a process id the watchdog is for whoever can notify, but sockets are for nobody.
  const watched = watchdogUs > 0 && (watchdogPid === "" || watchdogPid === `${pid}`);
  const inherits = listenPid === `${pid}` && count <= DESCRIPTORS_MAX;
  return {
    ...(notifySocket !== "" && { notifySocket }),
    ...(notifySocket !== "" && watched && { watchdogMs: watchdogUs / 1000 }),
    descriptors: Array.from(
      { length: inherits ? count : 0 },
      (_, i) => ({ fd: FIRST_FD + i, name: names[i] ?? "" }),
    ),
  };
}

/** 0 where it is none. */
function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
