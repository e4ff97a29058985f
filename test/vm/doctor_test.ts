import assert from "node:assert/strict";
import type { StatusReport } from "../../agent/health/api.ts";
import type { Finding } from "../../doctor/finding.ts";
import { report } from "./report.ts";
import { BINARY, bring, INSTALL, PROGRAM, withoutResolved } from "./vm_installation.ts";
import { bareScene } from "./vm_scene.ts";
import type { VirtualMachine } from "./virtual_machine.ts";

const CONFIG = "/etc/outrigger/config.yaml";
/** What it is changed from, and back to. */
const SAVED = "/opt/config.yaml";
const START = [
  "systemctl",
  "start",
  "outrigger.socket",
  "outrigger-ipv6.socket",
  "outrigger.service",
];

const sh = (vm: VirtualMachine, script: string) => vm.run(["sh", "-ec", script]);

/** What the doctor finds, and how it ends. */
async function doctor(vm: VirtualMachine, { user = "root", program = BINARY } = {}) {
  const startedMs = performance.now();
  const { code, stdout, stderr } = await vm.attempt([program, "doctor", "--json"], { user });
  assert.notEqual(stdout, "", stderr);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  const tookMs = performance.now() - startedMs;
  const ill = findings.filter(({ result }) => result === "failed" || result === "warning");
  return {
    code,
    tookMs,
    findings,
    /** The checks that found something, with their results. */
    wrong: ill.map(({ check, result }) => `${result} ${check}`),
    /** Expects a finding. */
    has(check: string, result: string, evidence: RegExp, remedy?: RegExp) {
      const finding = findings.find((finding) => finding.check === check);
      const all = JSON.stringify(finding ?? findings, null, 2);
      assert.equal(finding?.result, result, all);
      assert.match(finding.evidence, evidence, all);
      if (remedy !== undefined) assert.match(finding.remedy, remedy, all);
    },
  };
}

/** Waits until nothing fails. */
async function untilWell(vm: VirtualMachine): Promise<void> {
  await vm.until(
    async () => (await vm.attempt([BINARY, "doctor"])).code === 0 || undefined,
    `the doctor finds nothing that fails: ${(await vm.attempt([BINARY, "doctor"])).stdout}`,
    60_000,
  );
}

/** Changes the configuration, and waits until the agent's status shows it. */
async function configure(
  vm: VirtualMachine,
  line: string,
  shows: (status: StatusReport) => boolean,
) {
  await sh(vm, `cat ${SAVED} > ${CONFIG}; echo '${line}' >> ${CONFIG}; systemctl reload outrigger`);
  await vm.until(
    async () => {
      const { stdout } = await vm.attempt([BINARY, "status", "--json"]);
      return shows(JSON.parse(stdout)) || undefined;
    },
    `status shows ${line}`,
    10_000,
  );
}

/** Lets nobody put the capture back until it is asked for. */
const UNWATCHED = "systemctl stop outrigger-capture.path outrigger-capture.timer";
const WATCHED = "systemctl start outrigger-capture.path outrigger-capture.timer";

Deno.test("outrigger doctor on a Debian 12 with a static resolv.conf", async (t) => {
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm, servers } = scene;
  await withoutResolved(vm);
  await bring(vm);

  await t.step("names an outrigger that is not installed", async () => {
    const found = await doctor(vm, { program: PROGRAM });
    assert.equal(found.code, 4);
    assert.deepEqual(found.wrong, ["failed units"]);
    found.has("units", "failed", /not installed/, /outrigger install/);
  });

  await vm.run([PROGRAM, ...INSTALL]);

  await t.step("finds nothing but addresses without a route where all is well", async () => {
    const found = await doctor(vm);
    report("outrigger doctor", found.tookMs);
    assert.deepEqual(found.wrong, ["warning routes"], JSON.stringify(found.findings, null, 2));
    assert.equal(found.code, 0);
    found.has("capture", "ok", /by resolv-conf/);
    found.has("sockets", "ok", /systemd holds it/);
    found.has("mesh name", "ok", /productpage|details/);
    found.has("upstream 192.0.2.53:53", "ok", /^answers /);
    // 10.96.0.0/16 lies nowhere; bank.example.org is on the link.
    found.has(
      "routes",
      "warning",
      /^\d of 5 hosts that were tried.*productpage\.ns1\.svc\.cluster\.local \(10\.96\.1\.1\)/,
      /Envoy/,
    );
    const { evidence } = found.findings.find(({ check }) => check === "routes")!;
    assert.doesNotMatch(evidence, /bank/);
  });

  await t.step("says what only root may see", async () => {
    const found = await doctor(vm, { user: "nobody" });
    found.has("configuration", "skipped", /only root/, /sudo outrigger doctor/);
    found.has("capture", "skipped", /only root/, /sudo outrigger doctor/);
    found.has("mesh name", "ok", /productpage/);
    assert.equal(found.code, 0, JSON.stringify(found.findings, null, 2));
  });

  await t.step("names an agent that was stopped", async () => {
    await sh(vm, "systemctl stop 'outrigger*'");
    const found = await doctor(vm);
    report("outrigger doctor, the agent stopped", found.tookMs);
    assert.equal(found.code, 4);
    found.has(
      "units",
      "failed",
      /outrigger\.service is stopped/,
      /systemctl start outrigger\.socket/,
    );
    found.has("sockets", "failed", /nobody listens on 127\.0\.0\.1:15053/, /systemctl start/);
    found.has("capture", "ok", /released/);
    found.has("resolv.conf", "ok", /192\.0\.2\.53/);
    await vm.run(START);
    await untilWell(vm);
  });

  await t.step("names a rival that rewrote resolv.conf", async () => {
    await sh(vm, UNWATCHED);
    await sh(vm, "printf '# Generated by dhcpcd\\nnameserver 192.0.2.53\\n' > /etc/resolv.conf");
    const found = await doctor(vm);
    assert.equal(found.code, 1);
    found.has(
      "resolv.conf",
      "failed",
      /names 192\.0\.2\.53; written last at .* by dhcpcd/,
      /systemctl start outrigger-capture\.service/,
    );
    found.has("capture", "failed", /not in force/);
    found.has("units", "warning", /but not outrigger-capture\.path and outrigger-capture\.timer/);
    found.has("mesh name", "failed", /not this VM's own lookup/);
    await sh(vm, "systemctl start outrigger-capture.service; " + WATCHED);
    await untilWell(vm);
  });

  await t.step("names an nsswitch.conf without dns, and its remedy mends it", async () => {
    await sh(vm, "sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf");
    const found = await doctor(vm);
    found.has("nsswitch", "failed", /neither `dns` nor `resolve`/);
    found.has("mesh name", "failed", /no address/);
    const { remedy } = found.findings.find(({ check }) => check === "nsswitch")!;
    await sh(vm, remedy.replace("Add it: sudo ", ""));
    await untilWell(vm);
  });

  await t.step("names an upstream server that is dead", async () => {
    await servers.other[Symbol.asyncDispose]();
    await configure(
      vm,
      "dns: { upstreams: [192.0.2.54] }",
      ({ upstreams }) => upstreams.some(({ server }) => server === "192.0.2.54:53"),
    );
    const found = await doctor(vm);
    assert.equal(found.code, 1);
    found.has("upstream 192.0.2.54:53", "failed", /does not answer/, /dns\.upstreams/);
    found.has("mesh name", "ok", /productpage/);
    await configure(vm, "", ({ upstreams }) => upstreams[0]?.server === "192.0.2.53:53");
    await untilWell(vm);
  });

  await t.step("names a control plane that is gone, by stage", async () => {
    await configure(
      vm,
      'controlPlane: { address: "192.0.2.53:15012", rootCert: /opt/none.pem }',
      ({ controlPlane }) => controlPlane !== undefined,
    );
    const found = await doctor(vm);
    found.has("control plane: address", "ok", /192\.0\.2\.53/);
    found.has(
      "control plane: TCP",
      "warning",
      /192\.0\.2\.53 port 15012/,
      /nc -vz 192\.0\.2\.53 15012/,
    );
    found.has("control plane: TLS", "skipped", /earlier stage/);
    found.has("control plane: certificate", "warning", /none/);
    found.has("mesh name", "ok", /productpage/);
    await configure(vm, "", ({ controlPlane }) => controlPlane === undefined);
    await untilWell(vm);
  });

  await t.step("names a crash loop that was released, and when the next try is", async () => {
    await sh(
      vm,
      `mv ${BINARY} /opt/working
       printf '#!/bin/sh\\n[ "$1" = run ] || exec /opt/working "$@"\\necho "error: broken" >&2\\nexit 9\\n' > ${BINARY}
       chmod 755 ${BINARY}
       systemctl restart --no-block outrigger`,
    );
    await vm.until(
      async () =>
        (await vm.attempt(["systemctl", "is-active", "--quiet", "outrigger-retry.timer"])).code ===
          0 ||
        undefined,
      "the agent is given up",
      30_000,
    );
    await vm.until(
      async () => {
        const show = ["systemctl", "show", "--property=ExecMainExitTimestamp", "outrigger-release"];
        return (await vm.run(show)).trim() !== "ExecMainExitTimestamp=" || undefined;
      },
      "the capture is released",
      30_000,
    );
    const found = await doctor(vm);
    assert.equal(found.code, 4);
    found.has(
      "units",
      "failed",
      /given up .*exit code 9\); the VM got its own DNS back at .*; the next try is at .*; its last words: error: broken/,
      /journalctl -b -u outrigger/,
    );
    found.has("capture", "ok", /released/);
    found.has("upstream 192.0.2.53:53", "ok", /answers/);
    await sh(
      vm,
      `mv /opt/working ${BINARY}; systemctl reset-failed 'outrigger*'; ${START.join(" ")}`,
    );
    await untilWell(vm);
  });

  await t.step("has nothing to say of changes after an uninstall", async () => {
    await vm.run([BINARY, "uninstall"]);
    const found = await doctor(vm, { program: PROGRAM });
    assert.deepEqual(found.wrong, ["failed units"]);
    found.has("capture", "skipped", /not installed/);
  });
});

Deno.test("outrigger doctor on a Debian 12 with systemd-resolved", async (t) => {
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm } = scene;
  await bring(vm);
  await vm.run([PROGRAM, ...INSTALL]);

  await t.step("finds all well, but for routes", async () => {
    const found = await doctor(vm);
    assert.deepEqual(found.wrong, ["warning routes"], JSON.stringify(found.findings, null, 2));
    found.has("systemd-resolved", "ok", /asks 127\.0\.0\.1:15053 .*~\./);
    found.has("nsswitch", "ok", /systemd-resolved/);
  });

  await t.step("names a link that draws all names too", async () => {
    await vm.run(["resolvectl", "dns", "vpn0", "198.51.100.53"]);
    await vm.run(["resolvectl", "domain", "vpn0", "~."]);
    const found = await doctor(vm);
    found.has("systemd-resolved", "warning", /vpn0 draws all names/, /resolvectl domain vpn0 ''/);
    await vm.run(["resolvectl", "revert", "vpn0"]);
  });

  await t.step("names a nameserver that leads back", async () => {
    await configure(
      vm,
      "dns: { upstreams: [127.0.0.53] }",
      ({ problems }) => problems.some(({ code }) => code === "UPSTREAM_LOOP"),
    );
    const found = await doctor(vm);
    assert.equal(found.code, 1);
    found.has("loop", "failed", /127\.0\.0\.53/, /dns\.upstreams/);
    await configure(vm, "", ({ problems }) => problems.length === 0);
  });

  await t.step("names a table of nftables that was flushed", async () => {
    await withoutResolved(vm);
    await vm.run([PROGRAM, ...INSTALL, "--capture", "nftables"]);
    const captured = await doctor(vm);
    assert.equal(captured.code, 0, JSON.stringify(captured.findings, null, 2));
    captured.has("nftables", "ok", /4 rules|2 rules/);
    captured.has("upstream 192.0.2.53:53", "ok", /as the agent says/);
    await sh(vm, `${UNWATCHED}; nft flush ruleset`);
    const found = await doctor(vm);
    assert.equal(found.code, 1);
    found.has("nftables", "failed", /not loaded/, /systemctl start outrigger-capture\.service/);
    found.has("mesh name", "failed", /not this VM's own lookup/);
    await sh(vm, `systemctl start outrigger-capture.service; ${WATCHED}`);
    await untilWell(vm);
  });
});
