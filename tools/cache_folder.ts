/**
 * Where what is built or downloaded once is kept, outside the checkout.
 *
 * @module
 */
import { join } from "node:path";

/** The folder of one kind of thing: `$XDG_CACHE_HOME/outrigger/KIND`. */
export function cacheFolder(kind: string): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME") ?? "/root", ".cache");
  return join(cache, "outrigger", kind);
}
