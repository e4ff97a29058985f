/**
 * The rule for what is kept on disk: each file carries the number of its format, and each version of
 * outrigger reads what the one before it and the one after it write. So within a number fields are only
 * added, and who does not know one passes over it; and a version that raises the number still reads the one
 * before, and writes that until the next version. What has a higher number than that is passed over with a
 * word, and stays as it is until something replaces it. Pure.
 *
 * @module
 */

/**
 * Checks the number of a format. @param known the highest that can be read
 *
 * @throws {Error} that says who wrote it, where it is higher
 */
export function refuseNewerFormat(found: number, known: number): void {
  if (found <= known) return;
  throw new Error(
    `it was written by a newer version of outrigger (format ${found}; this version reads up to ${known})`,
  );
}
