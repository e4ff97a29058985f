/**
 * The inverses of a capture as a shell script, for when the program itself is what is broken: it lies beside
 * the journal, and says the same. What it undid, the program undoes once more without harm. Pure.
 *
 * @module
 */
import type { Inverse, RestoreFile } from "./steps.ts";
import { savedPath, unfinishedPath } from "./steps.ts";

/**
 * The text of the program that the units call, wherever the script of the day lies.
 *
 * @param journal the folder of the capture's journal
 */
export function releaseProgram(journal: string): string {
  return [
    "#!/bin/sh",
    "# Undoes outrigger's capture where the program cannot: what to do was written down with the capture.",
    `[ ! -e ${journal}/undo.sh ] || exec /bin/sh ${journal}/undo.sh`,
    "",
  ].join("\n");
}

/** The script: each part is tried, whatever became of the others. */
export function undoScript(inverses: readonly Inverse[]): string {
  return [
    "#!/bin/sh",
    "# Undoes outrigger's capture without the program.",
    "failed=0",
    ...inverses.toReversed().flatMap(partOf),
    "exit $failed",
    "",
  ].join("\n");
}

function partOf(inverse: Inverse): string[] {
  switch (inverse.kind) {
    case "restore file":
      return restoreFile(inverse);
    case "restore content": {
      const path = quote(inverse.path);
      return [
        ifOurs(path, inverse.nameserver),
        `  printf %s ${quote(base64(inverse.before))} | base64 -d > ${path} || failed=1`,
        "fi",
      ];
    }
    case "remove directory":
      return [`rmdir ${quote(inverse.path)} 2>/dev/null || :`];
    case "remove tree":
      return [`rm -rf ${quote(inverse.path)} || failed=1`];
    case "run": {
      const command = `${inverse.command.map(quote).join(" ")} || failed=1`;
      const whole = inverse.input === undefined
        ? command
        : `printf %s ${quote(base64(inverse.input))} | base64 -d | ${command}`;
      return inverse.onlyIf === undefined
        ? [whole]
        : [`if ${inverse.onlyIf.map(quote).join(" ")}; then ${whole}; fi`];
    }
    case "release capture":
      return [];
  }
}

/** The way of `undo.ts`, but for a rival's file that still has our line: then the one of before is put back. */
function restoreFile({ path, existed, ours, nameserver }: RestoreFile): string[] {
  const [place, saved] = [quote(path), quote(savedPath(path))];
  const hashes = ours === "any"
    ? ["*"]
    : ours.flatMap((text) => text.match(/^sha256 (.*)/)?.[1] ?? []);
  const targets = ours === "any"
    ? []
    : ours.flatMap((text) => text.match(/^link (.*)/s)?.[1] ?? []);
  const isOurs = [
    ...hashes.length === 0 ? [] : [
      `case "$(sha256sum 2>/dev/null < ${place})" in ${
        hashes.map((hash) => `${hash}*`).join("|")
      }) ours=1;; esac`,
    ],
    ...targets.map((target) => `[ "$(readlink ${place})" != ${quote(target)} ] || ours=1`),
    ...nameserver === undefined ? [] : [`${ifOurs(place, nameserver)} ours=1; fi`],
  ];
  return [
    `rm -f ${quote(unfinishedPath(path))}`,
    "ours=0",
    ...isOurs,
    `if [ -e ${saved} ] || [ -L ${saved} ]; then`,
    // Two names of one file: mv would do nothing.
    `  if [ $ours = 1 ] && ! [ ${saved} -ef ${place} ]; then mv -f ${saved} ${place} || failed=1`,
    `  else rm -f ${saved} || failed=1; fi`,
    ...existed ? [] : [`elif [ $ours = 1 ]; then`, `  rm -f ${place} || failed=1`],
    "fi",
  ];
}

/** The beginning of an `if`: whether a file names us. */
function ifOurs(place: string, nameserver: string | undefined): string {
  const pattern = quote(`^nameserver[[:space:]]*${nameserver?.replaceAll(".", "\\.")}`);
  return `if grep -qs ${pattern} ${place}; then`;
}

function quote(word: string): string {
  return /^[\w./:@=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
