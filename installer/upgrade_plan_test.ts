import assert from "node:assert/strict";
import { join } from "node:path";
import {
  parseReleaseFiles,
  planChanges,
  ROLLBACK_SCRIPT,
  rollbackScript,
  UPGRADE_DROP_IN,
  UPGRADE_FOLDER,
} from "./upgrade_plan.ts";

const SERVICE = "/etc/systemd/system/outrigger.service";
const SOCKET = "/etc/systemd/system/outrigger.socket";
const PORT_53 = "/etc/systemd/system/outrigger.socket.d/port-53.conf";
const file = (path: string, text: string, rest = {}) => ({
  path,
  text,
  mode: 0o644 as const,
  ...rest,
});
const MACHINE = {
  systemdVersion: 252,
  present: new Map([[SERVICE, "old"], [SOCKET, "same"]]),
  isEnabled: new Set(["outrigger.service"]),
};

const CASES: [string, ReturnType<typeof file>[], { files: string[]; changesSockets: boolean }][] = [
  ["nothing new", [file(SOCKET, "same")], { files: [], changesSockets: false }],
  ["another service", [file(SERVICE, "new")], { files: [SERVICE], changesSockets: false }],
  ["other sockets", [file(SOCKET, "new")], { files: [SOCKET], changesSockets: true }],
  ["a drop-in that only some have", [file(PORT_53, "x", { onlyIfThere: true })], {
    files: [],
    changesSockets: false,
  }],
  ["a file for a later systemd", [file(`${SERVICE}.d/x.conf`, "x", { sinceSystemd: 254 })], {
    files: [],
    changesSockets: false,
  }],
  ["a new file", [file(`${SERVICE}.d/x.conf`, "x", { sinceSystemd: 252 })], {
    files: [`${SERVICE}.d/x.conf`],
    changesSockets: false,
  }],
];

for (const [what, files, expected] of CASES) {
  Deno.test(`planChanges() of ${what}`, () => {
    const changes = planChanges({ files, enabled: [] }, MACHINE);
    const { changesSockets } = changes;
    assert.deepEqual({ files: changes.files.map(({ path }) => path), changesSockets }, expected);
  });
}

Deno.test("planChanges() enables what was not", () => {
  const enabled = ["outrigger.service", "outrigger-new.service"];
  assert.deepEqual(planChanges({ files: [], enabled }, MACHINE).enabled, ["outrigger-new.service"]);
});

for (
  const path of [
    "/etc/passwd",
    "/etc/systemd/system/ssh.service",
    "/etc/systemd/system/outrigger/../ssh.service",
    "/etc/systemd/system/outrigger.service; reboot",
  ]
) {
  Deno.test(`parseReleaseFiles() refuses ${path}`, () => {
    const text = JSON.stringify({ files: [file(path, "")], enabled: [] });
    assert.throws(() => parseReleaseFiles(text));
  });
}

const OURS = [SERVICE, "/etc/sysusers.d/outrigger.conf", "/usr/local/lib/outrigger/release"];
Deno.test("parseReleaseFiles() takes our own", () => {
  const files = OURS.map((path) => file(path, ""));
  const text = JSON.stringify({ files, enabled: ["outrigger.service"], later: true });
  assert.deepEqual(parseReleaseFiles(text).files, files);
});

/** Runs the script with all its paths below a folder, under dash and bash. */
async function runBelow(folder: string, script: string): Promise<number> {
  const text = script.replaceAll(/(?<![\w])\/(usr|etc|var|run)\//g, `${folder}/$1/`);
  const { code } = await new Deno.Command("/bin/sh", {
    args: ["-c", text],
    env: { PATH: `${folder}/bin:/usr/bin:/bin` },
    stdout: "null",
    stderr: "null",
  }).output();
  return code;
}

for (const swapped of [true, false]) {
  Deno.test(`rollbackScript() puts everything back, and itself away; swapped: ${swapped}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "outrigger-upgrade-" });
    try {
      const put = async (path: string, content: string) => {
        await Deno.mkdir(join(folder, path, ".."), { recursive: true });
        await Deno.writeTextFile(join(folder, path), content);
      };
      const text = (path: string) => Deno.readTextFile(join(folder, path)).catch(() => undefined);
      await put("/bin/systemctl", `#!/bin/sh\necho "$@" >>${folder}/ran\n`);
      await Deno.chmod(join(folder, "/bin/systemctl"), 0o755);
      await put("/usr/local/bin/outrigger.previous", "old");
      if (swapped) await put("/usr/local/bin/outrigger", "new");
      else {
        const bin = join(folder, "/usr/local/bin/outrigger");
        await Deno.link(`${bin}.previous`, bin);
      }
      await put("/usr/local/bin/outrigger.outrigger-new", "half");
      await put(SERVICE, "new\n");
      await put(PORT_53, "added\n");
      await put(ROLLBACK_SCRIPT, "");
      await put(UPGRADE_DROP_IN, "");
      const script = rollbackScript({
        files: [
          { path: SERVICE, text: "new\n", mode: 0o644, before: "Ärger 'x' $y\n" },
          { path: PORT_53, text: "added\n", mode: 0o644, before: undefined },
        ],
        enabled: ["outrigger-new.service"],
        changesSockets: false,
      }, { from: "0.1.0", to: "0.2.0" });
      // Twice: it may be interrupted before it is gone.
      for (let i = 0; i < 2; i++) assert.equal(await runBelow(folder, script), 0);
      assert.equal(await text("/usr/local/bin/outrigger"), "old");
      assert.equal(await text("/usr/local/bin/outrigger.outrigger-new"), undefined);
      assert.equal(await text(SERVICE), "Ärger 'x' $y\n");
      assert.equal(await text(PORT_53), undefined);
      assert.equal(await text(ROLLBACK_SCRIPT), undefined);
      assert.equal(await text(UPGRADE_DROP_IN), undefined);
      // An empty one would hide from an ordinary user that nothing is pending.
      await assert.rejects(Deno.stat(join(folder, UPGRADE_FOLDER)), Deno.errors.NotFound);
      assert.match(await text("/ran") ?? "", /^disable outrigger-new.service\ndaemon-reload\n/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
