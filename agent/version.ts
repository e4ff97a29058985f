/**
 * The version of outrigger, from the one place that states it.
 *
 * @module
 */
import project from "../deno.json" with { type: "json" };

/** E.g. `0.1.0` (semantic versioning). */
export const VERSION: string = project.version;
