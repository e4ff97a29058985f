/**
 * Which interfaces have containers behind them. Pure.
 *
 * @module
 */

/** As Docker, its networks, Podman (netavark, CNI) and nerdctl name them. */
const NAMES = /^(docker\d+|br-[\da-f]{12}|podman\d+|cni-podman\d+|nerdctl\d+)$/;

/** Whether an interface is the bridge of a container engine, by its name. libvirt's serve DNS themselves. */
export function isContainerBridge(name: string): boolean {
  return NAMES.test(name);
}
