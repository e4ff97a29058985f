/**
 * The network as those see it who ask upstream servers: while the fast path runs, it reads their sockets.
 *
 * @module
 */
import type { Network } from "../system/network.ts";
import type { FastPath } from "./fast_path.ts";

/**
 * A network that is `network` but for UDP sockets that are no listeners.
 *
 * @param fastPath asked for each socket, since those who ask are there before the fast path and after it
 */
export function exchangeNetwork(
  network: Network,
  fastPath: () => Pick<FastPath, "bindExchange"> | undefined,
): Network {
  // The fast path runs over no other.
  if (!network.isKernel) return network;
  return {
    ...network,
    async bindUdp(local, handlers, options) {
      const isExchange = options?.receiveBufferBytes === undefined && local.port === 0;
      const socket = isExchange ? fastPath()?.bindExchange(local, handlers) : undefined;
      return socket ?? await network.bindUdp(local, handlers, options);
    },
  };
}
