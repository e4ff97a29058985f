/**
 * The base binary (`denort`) that the program is compiled into. It must be of the version of the Deno that
 * compiles, and comes from the first of three places that has one.
 *
 * @module
 */
import { architectureOf } from "./denort_elf.ts";
import { downloadedBase, DownloadError } from "./denort_download.ts";
import { fallbackBase, NoBaseError } from "./denort_fallback.ts";
import { withoutSymbols } from "./elf_symbols.ts";

/** Where a base binary comes from; what is built on `fallback` is not for release. */
export type BaseOrigin = "env" | "deno" | "fallback";

/** A base binary. */
export interface BaseBinary {
  /** Where it comes from. */
  readonly origin: BaseOrigin;
  /** The ELF file. */
  readonly octets: Uint8Array<ArrayBuffer>;
}

/** The places, in their order; each takes a target. */
export interface BasePlaces {
  /** What DENORT_BIN names; undefined where it is not set. */
  env(target: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Deno's own download; throws a {@link DownloadError} where it cannot be had. */
  deno(target: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Rebuilt from a published program. */
  fallback(target: string): Promise<Uint8Array<ArrayBuffer>>;
}

const PLACES: BasePlaces = {
  env: async () => {
    const path = Deno.env.get("DENORT_BIN");
    return path ? await Deno.readFile(path) : undefined;
  },
  deno: downloadedBase,
  fallback: fallbackBase,
};

/**
 * The base binary for a target, without symbols.
 *
 * @param options `places` is where to look; `print` says which place has none, and why
 * @throws {NoBaseError} when there is none, or it is for another machine: `deno compile` takes any ELF file
 * @throws when one is not what it must be
 */
export async function baseBinary(
  target: string,
  { places = PLACES, print = console.log }: {
    places?: BasePlaces;
    print?: (line: string) => void;
  } = {},
): Promise<BaseBinary> {
  const { origin, octets } = await firstBase(target, { places, print });
  const architecture = architectureOf(octets);
  if (architecture === undefined || !target.startsWith(`${architecture}-`)) {
    throw new NoBaseError(
      `The base binary (${origin}) is for ${architecture ?? "something else"}, not ${target}`,
    );
  }
  return { origin, octets: withoutSymbols(octets) };
}

async function firstBase(
  target: string,
  { places, print }: { places: BasePlaces; print: (line: string) => void },
): Promise<BaseBinary> {
  const given = await places.env(target);
  if (given !== undefined) return { origin: "env", octets: given };
  try {
    return { origin: "deno", octets: await places.deno(target) };
  } catch (error) {
    // Anything else is a fault that must not be passed over.
    if (!(error instanceof DownloadError)) throw error;
    print(`Deno's own base binary cannot be had: ${error.message}`);
  }
  return { origin: "fallback", octets: await places.fallback(target) };
}
