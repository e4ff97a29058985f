/**
 * An eventfd: what one thread wakes another with that waits for sockets.
 *
 * @module
 */
import { libc, SystemCallError } from "./libc.ts";

const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

/** An event that stays until it is taken. */
export class WakeEvent {
  /** Its file descriptor: readable while the event is there. */
  readonly fd: number;

  /** Opens it. @throws SystemCallError; AgentError where there is no C library */
  constructor() {
    const { call, errno } = libc();
    this.fd = call.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (this.fd < 0) throw new SystemCallError(errno(), "Could not open an eventfd");
  }

  /** Makes it happen; what waits for it wakes up. */
  signal(): void {
    libc().call.write(this.fd, Uint32Array.of(1, 0), 8n);
  }

  /** Closes it. Nothing may wait for it any more. */
  close(): void {
    libc().call.close(this.fd);
  }
}
