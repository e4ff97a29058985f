/**
 * Downloading a file, bounded in time and size.
 *
 * @module
 */

/** A program has some 110 MB. */
const OCTETS_MAX = 400 * 2 ** 20;
const TIMEOUT_MS = 10 * 60_000;

/**
 * Downloads a file whole.
 *
 * @param options `roots`: PEM certificates that vouch for the server, beside those of the runtime
 * @throws the network's error, or one that says what the server said
 */
export async function downloadFile(
  url: string,
  { roots }: { roots: readonly string[] },
): Promise<Uint8Array> {
  using client = Deno.createHttpClient({ caCerts: [...roots] });
  const response = await fetch(url, { client, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`status ${response.status} ${response.statusText}`.trim());
  }
  if (url.startsWith("https:") && !response.url.startsWith("https:")) {
    await response.body?.cancel();
    throw new Error(`it leads to ${response.url}, where anybody may change it`);
  }
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of response.body ?? []) {
    octets += chunk.length;
    if (octets > OCTETS_MAX) throw new Error(`it has more than ${OCTETS_MAX} octets`);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(octets);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
