import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { containerSockets } from "../../systemd/container_sockets.ts";
import { OWN_LAYOUT, PACKAGE_LAYOUT } from "../../systemd/layout.ts";
import { ENABLED_UNITS, PORT_53_UNIT, unitsOf } from "../../systemd/units.ts";

const SCRIPTS = ["preinstall", "postinstall", "preremove", "postremove"] as const;
type Script = typeof SCRIPTS[number];
const texts = Object.fromEntries(
  await Promise.all(SCRIPTS.map(async (name) => [
    name,
    await Deno.readTextFile(`${import.meta.dirname}/${name}.sh`),
  ])),
) as Record<Script, string>;

/** Programs that change a machine: they say how they were called. Units are active and enabled by files. */
const STUBS: Record<string, string> = {
  systemctl: `case " $* " in
    *' is-active '*) [ -e "$ROOT/active" ] && ! [ "$3" = outrigger-retry.timer ] ;;
    *' is-enabled '*) [ -e "$ROOT/enabled" ] ;;
    *) echo "systemctl $*" ;;
  esac`,
  "systemd-sysusers": 'echo "systemd-sysusers $*"',
  "systemd-tmpfiles": 'echo "systemd-tmpfiles $*"',
  userdel: 'echo "userdel $*"',
  getent: "exit 0",
};
const OWN_SERVICE = `${OWN_LAYOUT.unitFolder}/outrigger.service`;
const OWN_UNIT = unitsOf(OWN_LAYOUT).find(({ path }) => path === OWN_SERVICE)!;
const SOCKET = `${PACKAGE_LAYOUT.unitFolder}/outrigger.socket`;

/** A machine in a folder, whose paths the scripts have in the place of the real ones. */
class Machine implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  static async make(files: Record<string, string> = {}): Promise<Machine> {
    const machine = new Machine(await TemporaryDirectory.make());
    const all = {
      "/run/systemd/system/unit": "",
      [SOCKET]: "[Socket]\n",
      ...files,
    };
    for (const [path, text] of Object.entries(all)) await machine.write(path, text);
    for (const [name, body] of Object.entries(STUBS)) {
      await machine.write(`/stubs/${name}`, `#!/bin/sh\n${body}\n`, 0o755);
    }
    return machine;
  }

  async write(path: string, text: string, mode = 0o644): Promise<void> {
    await Deno.chmod(await this.#directory.write(path.slice(1), text), mode);
  }

  async has(path: string): Promise<boolean> {
    return await Deno.lstat(this.#directory.path + path).then(() => true, () => false);
  }

  /** Runs a script. @returns its exit code, and what it and the programs that it ran said */
  async run(script: Script, ...args: string[]): Promise<{ code: number; said: string }> {
    const root = this.#directory.path;
    // The text that is looked for in a unit stays.
    const text = texts[script].replaceAll(
      /(?<=[\s>])\/(?!usr\/local\/)(usr|etc|var|run)\//g,
      `${root}/$1/`,
    );
    const { code, stdout } = await new Deno.Command("sh", {
      args: ["-c", `exec 2>&1\n${text}`, script, ...args],
      env: { PATH: `${root}/stubs:${Deno.env.get("PATH")}`, ROOT: root },
    }).output();
    return { code, said: new TextDecoder().decode(stdout).replaceAll(root, "") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

Deno.test("the maintainer scripts do nothing where nothing is to be done", async () => {
  await using machine = await Machine.make();
  const cases: [Script, string[]][] = [
    ["preinstall", ["abort-upgrade"]],
    ["postinstall", ["abort-remove"]],
    ["postinstall", ["abort-upgrade", "0.1.0"]],
    ["preremove", ["upgrade", "0.2.0"]],
    ["preremove", ["1"]],
    ["preremove", ["deconfigure"]],
    ["postremove", ["upgrade", "0.2.0"]],
    ["postremove", ["1"]],
    ["postremove", ["abort-install"]],
  ];
  for (const [script, args] of cases) {
    assert.deepEqual(
      await machine.run(script, ...args),
      { code: 0, said: "" },
      `${script} ${args}`,
    );
  }
});

Deno.test("preinstall refuses beside an installation without a package, and says how to go over", async () => {
  for (const args of [["install"], ["install", "0.1.0"], ["1"]]) {
    await using machine = await Machine.make({ [OWN_SERVICE]: OWN_UNIT.text });
    const { code, said } = await machine.run("preinstall", ...args);
    assert.equal(code, 1);
    assert.match(said, /cp -a \/etc\/outrigger \S+ && \/usr\/local\/bin\/outrigger uninstall\n/);
    await machine.write(OWN_SERVICE, "[Service]\nExecStart=/usr/bin/outrigger run\n");
    assert.deepEqual(await machine.run("preinstall", ...args), { code: 0, said: "" });
  }
});

Deno.test("postinstall makes user and folders, starts nothing, and says how to go on", async () => {
  for (const args of [["configure", ""], ["1"]]) {
    await using machine = await Machine.make();
    const { code, said } = await machine.run("postinstall", ...args);
    assert.equal(code, 0, said);
    const [sysusers, tmpfiles, reload, ...rest] = said.split("\n");
    assert.deepEqual([sysusers, tmpfiles, reload], [
      "systemd-sysusers outrigger.conf",
      "systemd-tmpfiles --create outrigger.conf",
      "systemctl daemon-reload",
    ]);
    assert.match(rest.join("\n"), /^outrigger is on this machine, .*\n {2}outrigger install /);
  }
});

Deno.test("an upgrade restarts what runs, and tells of other sockets in place of closing them", async () => {
  for (
    const args of [{ pre: ["upgrade", "0.1.0"], post: ["configure", "0.1.0"] }, {
      pre: ["2"],
      post: ["2"],
    }]
  ) {
    for (const text of ["[Socket]\n", "[Socket]\nReceiveBuffer=8M\n"]) {
      await using machine = await Machine.make({ "/active": "", "/enabled": "" });
      assert.deepEqual(await machine.run("preinstall", ...args.pre), { code: 0, said: "" });
      await machine.write(SOCKET, text);
      const { code, said } = await machine.run("postinstall", ...args.post);
      assert.equal(code, 0, said);
      const [reset, restart, ...rest] = said.split("\n").slice(3);
      assert.equal(reset, "systemctl reset-failed outrigger.service");
      assert.equal(restart, "systemctl try-restart outrigger.service");
      if (text === "[Socket]\n") assert.deepEqual(rest, [""]);
      else assert.match(rest.join("\n"), /^outrigger: this version has other sockets/);
      assert.equal(await machine.has("/run/outrigger-sockets.sha256"), false);
    }
  }
});

const dryRuns: [name: string, line: string, isTold: boolean][] = [
  [
    "another drop-in",
    "   7. write /etc/systemd/system/outrigger.service.d/254-restart.conf (x)",
    true,
  ],
  ["another unit to enable", "  12. run systemctl enable outrigger.socket", true],
  ["nothing that is not in force", "   1. run systemctl stop outrigger.service", false],
];
for (const [name, line, isTold] of dryRuns) {
  Deno.test(`an upgrade tells what it leaves to install (${name})`, async () => {
    const journal = "/var/lib/outrigger-install/journal.json";
    await using machine = await Machine.make({ "/active": "", "/enabled": "", [journal]: "" });
    const shown = line.replace("/etc/", "$ROOT/etc/");
    await machine.write(PACKAGE_LAYOUT.program, `#!/bin/sh\necho "${shown}"\n`, 0o755);
    const { code, said } = await machine.run("postinstall", "configure", "0.1.0");
    assert.equal(code, 0, said);
    assert.equal(said.includes("`outrigger install` puts there"), isTold, said);
  });
}

Deno.test("an upgrade of what is not in use starts nothing", async () => {
  await using machine = await Machine.make({ "/enabled": "" });
  await machine.run("preinstall", "upgrade", "0.1.0");
  const { said } = await machine.run("postinstall", "configure", "0.1.0");
  assert.equal(said.split("\n").slice(2).join("\n"), "systemctl daemon-reload\n");
});

const programs: [name: string, program: string, said: RegExp][] = [
  ["a good program", "echo outrigger $* >&2", /^outrigger uninstall\nsystemctl --quiet stop /],
  ["a broken one", "exit 3", /^outrigger: the program could not .*\nreleased\nsystemctl/],
];
for (const [name, program, expected] of programs) {
  Deno.test(`preremove gives the machine back with ${name}, then stops and disables what is left`, async () => {
    for (const argument of ["remove", "0"]) {
      await using machine = await Machine.make();
      await machine.write(PACKAGE_LAYOUT.program, `#!/bin/sh\n${program}\n`, 0o755);
      await machine.write(PACKAGE_LAYOUT.release, "#!/bin/sh\necho released\n", 0o755);
      const { code, said } = await machine.run("preremove", argument);
      assert.equal(code, 0, said);
      assert.match(said, expected);
      const [, disabled] = /systemctl --quiet disable (.*)/.exec(said)!;
      assert.deepEqual(disabled.split(" ").sort(), ENABLED_UNITS.toSorted());
    }
  });
}

const DROP_INS = [
  PORT_53_UNIT,
  containerSockets([]),
  ...unitsOf(PACKAGE_LAYOUT).filter(({ path }) => path.startsWith("/etc/")),
];
const UNIT_NAMES = unitsOf(PACKAGE_LAYOUT).map(({ path }) => path)
  .filter((path) => dirname(path) === PACKAGE_LAYOUT.unitFolder).map((path) => basename(path))
  .sort();
const STATE = [
  "/etc/outrigger/config.yaml",
  "/var/lib/outrigger/table",
  "/var/lib/outrigger-capture/journal.json",
  "/var/lib/outrigger-install/journal.json",
  "/var/lib/outrigger-upgrade/rollback",
];
/** A control plane on the same machine: the authority of a whole mesh. */
const CONTROL_PLANE = "/var/lib/outrigger-control-plane/ca.pem";

Deno.test("postremove takes drop-ins away, and with a purge configuration, state and user", async () => {
  for (const argument of ["remove", "0", "purge"]) {
    const files = [...DROP_INS.map(({ path }) => path), ...STATE, "/run/outrigger/wanted"];
    const all = [...files, CONTROL_PLANE].map((path) => [path, ""]);
    await using machine = await Machine.make(Object.fromEntries(all));
    const { code, said } = await machine.run("postremove", argument);
    assert.equal(code, 0, said);
    const isGone = argument === "purge";
    for (const path of files) {
      assert.equal(await machine.has(path), !isGone && STATE.includes(path), path);
    }
    assert.equal(await machine.has(dirname(PORT_53_UNIT.path)), false);
    assert.equal(await machine.has(CONTROL_PLANE), true);
    assert.equal(said.includes("userdel outrigger"), isGone);
    const [, stopped] = /systemctl --quiet stop (.*)/.exec(said)!;
    assert.deepEqual(stopped.split(" ").sort(), UNIT_NAMES);
  }
});

Deno.test("postremove leaves all to an installation without a package that came since", async () => {
  const files = Object.fromEntries([...STATE, PORT_53_UNIT.path].map((path) => [path, ""]));
  await using machine = await Machine.make({ ...files, [OWN_SERVICE]: OWN_UNIT.text });
  assert.deepEqual(await machine.run("postremove", "purge"), { code: 0, said: "" });
  for (const path of Object.keys(files)) assert.equal(await machine.has(path), true, path);
});

const hasShellcheck =
  (await new Deno.Command("sh", { args: ["-c", "command -v shellcheck"], stdout: "null" })
    .output()).success;
Deno.test({
  name: "the maintainer scripts are clean to shellcheck",
  ignore: !hasShellcheck,
  fn: async () => {
    const args = SCRIPTS.map((name) => `${import.meta.dirname}/${name}.sh`);
    const { success, stdout } = await new Deno.Command("shellcheck", { args }).output();
    assert.ok(success, new TextDecoder().decode(stdout));
  },
});
