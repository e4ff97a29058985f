/**
 * Unix stream sockets, as a port: how services of this machine are asked.
 *
 * @module
 */

/** A connection to a service of this machine. */
export interface LocalSocket {
  /** Sends everything. @throws the runtime's error */
  write(bytes: Uint8Array): Promise<void>;
  /** What came next, undefined at the end. @throws the runtime's error */
  read(): Promise<Uint8Array | undefined>;
  /** Closes it; a read that waits ends. */
  close(): void;
}

/** Connects to the socket at a path. @throws the runtime's error */
export type ConnectLocal = (path: string) => Promise<LocalSocket>;

const READ_OCTETS = 16 * 1024;

/** Connects on this machine. */
export const connectLocal: ConnectLocal = async (path): Promise<LocalSocket> => {
  const connection = await Deno.connect({ transport: "unix", path });
  return {
    async write(bytes) {
      for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    },
    async read() {
      const buffer = new Uint8Array(READ_OCTETS);
      const octets = await connection.read(buffer);
      return octets === null ? undefined : buffer.subarray(0, octets);
    },
    close() {
      try {
        connection.close();
      } catch { /* closed before */ }
    },
  };
};
