/**
 * Where an upgrade takes the new program from, and whether it is the one that it should be: a file, or a
 * version that the control plane or a mirror has.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { Config } from "../config/config.ts";
import {
  binaryFileName,
  DOWNLOAD_PORT,
  findSum,
  isVersion,
  releaseUrl,
  SUMS_FILE,
} from "../downloads.ts";
import { AgentError, messageOf } from "../system/agent_error.ts";
import { InstallError } from "../../installer/errors.ts";
import { elfMachine } from "../../installer/elf_machine.ts";
import { PREVIOUS_BINARY } from "../../installer/upgrade_plan.ts";
import type { CommandContext } from "./command_context.ts";

/** What is asked for. */
export interface UpgradeSource {
  /** A file, or a version. */
  what: string;
  /** The sum that it must have. */
  sha256?: string;
  /** Where versions are downloaded from; the control plane unless given. */
  from?: string;
}

/** A program whose sum is right, and that is made for this machine. */
export interface VerifiedProgram {
  /** Its octets. */
  bytes: Uint8Array;
  /** Its sum. */
  sha256: string;
}

/** The machine of `uname -m`, by the names of releases. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "x64", aarch64: "arm64" };

/**
 * Reads or downloads it, and checks it.
 *
 * @throws {InstallError} when it cannot be had, or is not the one that it should be
 */
export async function readSource(
  source: UpgradeSource,
  config: Config,
  context: CommandContext,
): Promise<VerifiedProgram> {
  const { runProgram } = context.machine();
  const machine = (await runProgram(["uname", "-m"])).stdout.trim();
  const architecture = ARCHITECTURES[machine] ?? machine;
  if (source.sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(source.sha256)) {
    throw new AgentError("USAGE", "--sha256 takes the 64 hexadecimal digits of a SHA-256 sum.");
  }
  const isDownload = isVersion(source.what);
  const { bytes, sum, origin } = isDownload
    ? await download(source, { config, context, architecture })
    : await readFile(source, context);
  const expected = source.sha256?.toLowerCase() ?? sum;
  const sha256 = sumOf(bytes);
  if (sha256 !== expected) {
    throw new InstallError(
      "UPGRADE_REFUSED",
      `The sum of ${origin} is ${sha256}, and not ${expected}: it is damaged, or not the one you ` +
        "want. Nothing was changed.",
    );
  }
  const made = elfMachine(bytes);
  if (made !== architecture) {
    throw new InstallError(
      "UPGRADE_REFUSED",
      `${origin} is ${
        made === undefined ? "no program for Linux" : `a program for ${made}`
      }; this ` +
        `machine is ${architecture}. Nothing was changed.`,
    );
  }
  return { bytes, sha256 };
}

interface Read {
  bytes: Uint8Array;
  /** The sum that came with it. */
  sum: string | undefined;
  origin: string;
}

async function readFile(
  { what, sha256 }: UpgradeSource,
  context: CommandContext,
): Promise<Read> {
  const sums = join(dirname(what), SUMS_FILE);
  const text = await context.files.readText(sums).catch(() => "");
  const sum = findSum(text, basename(what));
  let bytes: Uint8Array;
  try {
    bytes = await context.machine().tree.readBytes(what);
  } catch (cause) {
    const hint = what.includes("/") ? "" : ` (a version looks like 0.2.0)`;
    throw new InstallError("UPGRADE_REFUSED", `Read "${what}"${hint}: ${messageOf(cause)}`, {
      cause,
    });
  }
  // Root's own, and it ran here.
  if (sha256 === undefined && what === PREVIOUS_BINARY) {
    return { bytes, sum: sumOf(bytes), origin: what };
  }
  if (sha256 === undefined && sum === undefined) {
    throw new InstallError(
      "UPGRADE_REFUSED",
      `Nothing says what the sum of ${what} must be: put the release's ${SUMS_FILE}, which names ` +
        "it, beside it, or give --sha256. Nothing was changed.",
    );
  }
  return { bytes, sum, origin: what };
}

async function download(
  { what: version, from, sha256 }: UpgradeSource,
  { config, context, architecture }: {
    config: Config;
    context: CommandContext;
    architecture: string;
  },
): Promise<Read> {
  const { rootCert, addresses = [] } = config.controlPlane ?? {};
  const base = from === undefined ? controlPlaneUrl(addresses[0]) : releaseUrl(from, version);
  if (!/^https?:\/\//.test(base)) {
    throw new AgentError("USAGE", "--from takes an http(s):// address.");
  }
  if (base.startsWith("http:") && sha256 === undefined) {
    throw new InstallError(
      "UPGRADE_REFUSED",
      `Over ${base} anybody may change program and sum alike: give --sha256, or an https:// address.`,
    );
  }
  const { download } = context.machine();
  // The control plane's certificate is vouched for by the mesh's own root.
  const roots = from === undefined && rootCert !== undefined
    ? [await context.files.readText(rootCert)]
    : [];
  const name = binaryFileName(architecture);
  const fetched = async (file: string) => {
    try {
      return await download(`${base}/${file}`, { roots });
    } catch (cause) {
      throw new InstallError(
        "UPGRADE_REFUSED",
        `Download ${base}/${file}: ${messageOf(cause)}. Nothing was changed. Name a mirror with ` +
          "--from, or download it yourself and give the file.",
        { cause },
      );
    }
  };
  const sum = sha256 ?? findSum(new TextDecoder().decode(await fetched(SUMS_FILE)), name);
  if (sum === undefined) {
    throw new InstallError("UPGRADE_REFUSED", `${base}/${SUMS_FILE} does not name ${name}.`);
  }
  return { bytes: await fetched(name), sum, origin: `${base}/${name}` };
}

function sumOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function controlPlaneUrl(address: string | undefined): string {
  if (address === undefined) {
    throw new AgentError(
      "USAGE",
      "There is no control plane in the configuration to download from: name a mirror with --from, " +
        "or give a file.",
    );
  }
  return `https://${address.replace(/:\d+$/, "")}:${DOWNLOAD_PORT}`;
}
