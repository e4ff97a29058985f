import assert from "node:assert/strict";
import { PACKAGE_LAYOUT } from "../systemd/layout.ts";
import { ENABLED_UNITS, PORT_53_UNIT, UNITS, unitsOf } from "../systemd/units.ts";
import { SETTINGS, vmFacts } from "../test/support/vm_facts.ts";
import type { VmFacts } from "./facts.ts";
import { planCapture } from "./capture_plan.ts";
import { type InstallOptions, planInstall } from "./install_plan.ts";
import { describeInverse, describeStep, type Step } from "./steps.ts";

const OPTIONS: InstallOptions = {
  program: "/opt/outrigger",
  configFiles: [{ path: "/etc/outrigger/config.yaml", text: "from: /etc/outrigger/vm\n" }, {
    path: "/etc/outrigger/vm/cluster.env",
    text: "",
  }],
  units: UNITS,
  port53Unit: undefined,
  enabledUnits: ENABLED_UNITS,
  capture: "auto",
  port: 15053,
};

const plan = (options: Partial<InstallOptions> = {}, facts: Partial<VmFacts> = {}) =>
  planInstall(vmFacts(facts), { ...OPTIONS, ...options });
const indexOf = (steps: readonly Step[], pattern: RegExp) => {
  const index = steps.findIndex((step) => pattern.test(describeStep(step)));
  assert.notEqual(index, -1, `${pattern}`);
  return index;
};

const refusals: [name: string, facts: Partial<VmFacts>, refusal: RegExp][] = [
  ["anybody but root", { isRoot: false }, /^Only root/],
  ["a machine without systemd", { systemdVersion: undefined }, /^systemd is not process 1/],
  ["an old systemd", { systemdVersion: 244 }, /^systemd 244 is too old/],
  ["a read-only /etc", { etcReadOnly: true }, /^\/etc is read-only/],
  [
    "another program than the package's",
    { layout: PACKAGE_LAYOUT },
    /run \/usr\/bin\/outrigger install/,
  ],
  [
    "Istio's agent on its port",
    { listeners: [{ address: "127.0.0.1", port: 15053, program: "pilot-agent" }] },
    /^Istio's agent \(pilot-agent\)/,
  ],
  [
    "another program on its port",
    { listeners: [{ address: "0.0.0.0", port: 15053, program: "other" }] },
    /^other listens on port 15053/,
  ],
];
for (const [name, facts, refusal] of refusals) {
  Deno.test(`planInstall() refuses ${name}`, () => {
    const { refusals } = plan({}, facts);
    assert.equal(refusals.length, 1);
    assert.match(refusals[0], refusal);
  });
}

Deno.test("planInstall() makes the user before what is the user's, and captures last", () => {
  const { steps, refusals } = plan();
  assert.deepEqual(refusals, []);
  const order = [
    /^copy \/opt\/outrigger to \/usr\/local\/bin\/outrigger \(root:root 0755\)/,
    /^write \/etc\/sysusers\.d\/outrigger\.conf/,
    /^run systemd-sysusers/,
    /^make the folder \/etc\/outrigger \(root:outrigger 0750\)/,
    /^write \/etc\/outrigger\/vm\/cluster\.env \(root:outrigger 0640\)/,
    /^write \/etc\/systemd\/system\/outrigger\.service/,
    /^run systemctl daemon-reload/,
    /^run systemctl enable/,
    /^run systemctl start outrigger\.socket outrigger-ipv6\.socket outrigger\.service/,
    /^wait until the agent is ready/,
    /^run \/usr\/local\/bin\/outrigger capture up/,
  ].map((pattern) => indexOf(steps, pattern));
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
  assert.equal(order.at(-1), steps.length - 1);
});

Deno.test("planInstall() stops what would capture again before the capture is released", () => {
  const { steps } = plan();
  const release = steps.findIndex(({ kind }) => kind === "release capture");
  const start = indexOf(steps, /^run systemctl start outrigger\.socket/);
  assert.ok(release < start, "the last step is undone first");
  assert.match(
    describeInverse(steps[start]),
    /^run systemctl stop outrigger-capture\.timer .*outrigger-capture\.path outrigger\.service .*socket$/,
  );
});

Deno.test("planInstall() undoes daemon-reload's cause before daemon-reload", () => {
  const { steps } = plan();
  const reload = steps.findIndex((step) =>
    step.kind === "run" && step.down?.command.includes("daemon-reload")
  );
  assert.equal(reload, 0);
});

Deno.test("planInstall() without a capture starts the agent and leaves it at that", () => {
  const { steps } = plan({ capture: "none" });
  assert.equal(steps.at(-1)?.kind, "await serving");
});

Deno.test("planInstall() takes port 53 only where it is needed, and units that systemd knows", () => {
  const written = (options: Partial<InstallOptions>, facts: Partial<VmFacts> = {}) =>
    plan(options, facts).steps.flatMap((step) => step.kind === "write file" ? [step.path] : []);
  assert.ok(!written({}).includes(PORT_53_UNIT.path));
  assert.ok(written({ port53Unit: PORT_53_UNIT }).includes(PORT_53_UNIT.path));
  const later = UNITS.find(({ sinceSystemd = 0 }) => sinceSystemd > 252)!;
  assert.ok(!written({}).includes(later.path));
  assert.ok(written({}, { systemdVersion: 257 }).includes(later.path));
});

Deno.test("planInstall() leaves to a package what is the package's, and to its purge what is configured", () => {
  const options = { program: undefined, units: unitsOf(PACKAGE_LAYOUT), port53Unit: PORT_53_UNIT };
  const facts = { layout: PACKAGE_LAYOUT, systemdVersion: 257 };
  const { steps, refusals } = plan(options, facts);
  assert.deepEqual(refusals, []);
  const written = steps.flatMap((step) => step.kind === "write file" ? [step] : []);
  assert.deepEqual(written.map(({ path }) => path), [
    "/etc/outrigger/config.yaml",
    "/etc/outrigger/vm/cluster.env",
    "/etc/systemd/system/outrigger.service.d/254-restart.conf",
    PORT_53_UNIT.path,
  ]);
  for (const { path, onlyPurge } of written) {
    assert.equal(onlyPurge ?? false, path.startsWith("/etc/outrigger/"), path);
  }
  const own = plan({ port53Unit: PORT_53_UNIT }, { systemdVersion: 257 }).steps;
  const commands = (all: readonly Step[]) =>
    all.flatMap((step) => step.kind === "run" ? step.up?.command.join(" ") ?? [] : []);
  // The rest is the same, in the package's places.
  assert.deepEqual(
    commands(steps),
    commands(own).map((line) =>
      line.replace(/\/etc\/(sysusers|tmpfiles)/, "/usr/lib/$1").replace("/usr/local/", "/usr/")
    ),
  );
  const capture = planCapture(vmFacts(facts), "nftables", SETTINGS).steps;
  assert.ok(!JSON.stringify([steps, capture]).includes("/usr/local/"));
});
