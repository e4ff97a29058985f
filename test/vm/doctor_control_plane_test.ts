import assert from "node:assert/strict";
import { debianImage } from "./debian_image.ts";
import { CONTROL_PLANE, JoinPlane } from "./join_plane.ts";
import { VirtualMachine } from "./virtual_machine.ts";
import { doctor } from "./vm_doctor.ts";
import { getent } from "./vm_lookups.ts";
import { VmNetwork } from "./vm_network.ts";

const MESH = "productpage.ns1.svc.cluster.local";
const { address, name } = CONTROL_PLANE;
const LINKS = [{ name: "eth0", addresses: ["192.0.2.2/24"], beyond: [`${address}/24`] }];
const IDENTITY = /^spiffe:\/\/cluster\.local\/ns\/vm\/sa\/vm-sa, until /;

Deno.test("outrigger doctor goes the way to a control plane stage by stage", async (t) => {
  await using network = await VmNetwork.create(LINKS);
  await using plane = await JoinPlane.make(network);
  await plane.listen();
  await using vm = await VirtualMachine.boot({
    image: await debianImage("bookworm", { extra: ["curl", "xz-utils"] }),
    network,
  });
  await vm.run(["sh", "-c", `echo '${address} ${name}' >>/etc/hosts`]);
  await vm.run(["sh", "-c", (await plane.line()).trim()]);

  /** What the doctor finds as soon as the agent has met the same. */
  const untilStream = (seen: RegExp) =>
    vm.until(
      async () => {
        const found = await doctor(vm);
        const stream = found.findings.find(({ check }) => check === "control plane: stream");
        return seen.test(stream?.evidence ?? "") ? found : undefined;
      },
      `the agent meets ${seen}`,
      30_000,
    );
  /** Names are served all the while. */
  const serves = async () => assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);

  await t.step("all is well", async () => {
    const found = await untilStream(/^connected to cp\.example\.org:15012/);
    found.has("control plane: address", "ok", /^192\.0\.2\.53 /);
    found.has("control plane: TCP", "ok", /port 15012/);
    found.has("control plane: TLS", "ok", /port 15012/);
    found.has("control plane: certificate", "ok", IDENTITY);
    found.has("control plane: token", "ok", /^not needed/);
  });

  await t.step("nothing listens there", async () => {
    await plane.stop();
    const found = await untilStream(/does not answer/);
    found.has("control plane: TCP", "warning", /ECONNREFUSED/, /nc -vz cp\.example\.org 15012/);
    found.has("control plane: TLS", "skipped", /an earlier stage/);
    await serves();
  });

  await t.step("it shows a certificate of another authority", async () => {
    await plane.forget();
    await plane.listen();
    const found = await untilStream(/could not prove itself/);
    found.has("control plane: TCP", "ok", /port 15012/);
    found.has("control plane: TLS", "warning", /unable to verify/, /controlPlane\.rootCert/);
    await serves();
  });

  await t.step("the authority is known, and the token is not", async () => {
    const fetched = `curl -sk https://${name}:15443/ca.pem`;
    await vm.run(["sh", "-c", `${fetched} | tee /etc/outrigger/root-cert.pem >/dev/null`]);
    await vm.run(["systemctl", "restart", "outrigger"]);
    const found = await vm.until(
      async () => {
        const found = await doctor(vm);
        return found.wrong.includes("warning control plane: token") ? found : undefined;
      },
      "the doctor finds the token",
      30_000,
    );
    found.has("control plane: TLS", "ok", /port 15012/);
    found.has(
      "control plane: certificate",
      "warning",
      /^unverifiable: .*refuses the token/,
      /fresh token/,
    );
    found.has("control plane: token", "warning", /the token is not known here/, /token create/);
    await serves();
  });

  await t.step("a new line is the remedy", async () => {
    await vm.run(["sh", "-c", (await plane.line()).trim()]);
    const found = await untilStream(/^connected/);
    found.has("control plane: certificate", "ok", IDENTITY);
    found.has("control plane: token", "ok", /^not needed/);
    await serves();
  });
});
