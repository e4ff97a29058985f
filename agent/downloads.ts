/**
 * Where a release lies below the address that it is downloaded from, whether the embedded control plane
 * serves it or a mirror: the one place that says so. Pure.
 *
 * @module
 */

/** The control plane's port for HTTPS. */
export const DOWNLOAD_PORT = 15443;
/** The file with the sums of all others, as sha256sum(1) writes it. */
export const SUMS_FILE = "SHA256SUMS";

/** The name of a binary. @param architecture `x64` or `arm64` */
export function binaryFileName(architecture: string): string {
  return `outrigger-linux-${architecture}`;
}

/**
 * Where a version's files lie at a mirror, as `install.sh --version` looks for them too. A control plane hands
 * out one version, at its root.
 */
export function releaseUrl(mirror: string, version: string): string {
  return `${mirror.replace(/\/+$/, "")}/${version}`;
}

/** Whether a text can be a version, and so a part of an address. */
export function isVersion(text: string): boolean {
  return /^\d+\.\d+\.\d+(-[\w.]+)?(\+[\w.]+)?$/.test(text);
}

/** The sum of a file in a {@link SUMS_FILE}, in lower case; undefined where it is not in there. */
export function findSum(sums: string, fileName: string): string | undefined {
  for (const line of sums.split("\n")) {
    // The second blank is a star where the file was read as binary.
    const [, sum, name] = /^([0-9a-f]{64}) [ *](.+?)\r?$/i.exec(line) ?? [];
    if (name === fileName || name === `./${fileName}`) return sum.toLowerCase();
  }
}
