/**
 * Where this build comes from. The bundler puts the values in; a run from source has none.
 *
 * @module
 */
declare const __OUTRIGGER_COMMIT__: string;
declare const __OUTRIGGER_BASE__: string;
declare const __OUTRIGGER_PACKAGES__: readonly string[];

/** Commit that was built; `source` when run from source. */
export const BUILD_COMMIT: string = typeof __OUTRIGGER_COMMIT__ === "string"
  ? __OUTRIGGER_COMMIT__
  : "source";

/**
 * Where the runtime in the binary comes from: `env` (DENORT_BIN), `deno` (Deno's own download) or
 * `fallback` (rebuilt from a published program; not for release). `none` when run from source.
 */
export const BUILD_BASE: string = typeof __OUTRIGGER_BASE__ === "string"
  ? __OUTRIGGER_BASE__
  : "none";

/** The npm packages in the binary, `NAME@VERSION` each; none when run from source. */
export const BUILD_PACKAGES: readonly string[] = typeof __OUTRIGGER_PACKAGES__ === "object"
  ? __OUTRIGGER_PACKAGES__
  : [];
