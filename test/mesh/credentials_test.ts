import assert from "node:assert/strict";
import { until } from "../support/until.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { lookUpAllTheTime } from "./continuous_lookups.ts";
import { makePluggedInCa } from "./plugged_in_ca.ts";
import { RealMesh } from "./real_mesh.ts";

const NAME = "productpage.ns1.svc.cluster.local";
/** An API server takes a token for so long after its end (go-jose's leeway). */
const LEEWAY_SECONDS = 60;
/** An API server remembers for so long that a token was good. */
const REVIEW_CACHE_SECONDS = 10;
const nowSeconds = () => Math.floor(Date.now() / 1000);

Deno.test("credentials of a VM in a real mesh", async (t) => {
  await using mesh = await RealMesh.start();
  const { kubernetes } = mesh;
  const vm = await mesh.vmFiles("vm");
  const tokenFile = `${vm}/istio-token`;
  const config = `${mesh.folder}/config.yaml`;
  await Deno.writeTextFile(config, "controlPlane: { certificateLife: 20s }\n");
  const args = ["--config", config, "--from", vm, "--upstream", "127.0.0.1:9"];
  const start = (name: string, more: string[] = []) =>
    AgentProcess.start({ folder: `${mesh.folder}/${name}`, args: [...args, ...more] });

  await t.step("a token that expired is not needed: the certificate renews itself", async () => {
    const expiresAtSeconds = nowSeconds() + 10 - LEEWAY_SECONDS;
    const token = await kubernetes.signToken("vm", "vm-sa", { expiresAtSeconds });
    await Deno.writeTextFile(tokenFile, token);
    await using agent = await start("renews");
    const { controlPlane } = await agent.untilConnected();
    const first = controlPlane!.certificate.expiresAt;
    const refusedAtSeconds = expiresAtSeconds + LEEWAY_SECONDS + REVIEW_CACHE_SECONDS;
    await until(() => nowSeconds() > refusedAtSeconds, "the token's end", 30_000);
    const { problems } = await agent.untilStatus(
      ({ controlPlane }) =>
        Date.parse(controlPlane!.certificate.expiresAt) > Date.parse(first) + 20_000,
      "a renewal without the token",
    );
    assert.deepEqual(problems, []);
    await using another = await start("joins-late");
    const status = await another.untilStatus(
      ({ problems }) => problems.some(({ code }) => code === "TOKEN_EXPIRED"),
      "the same token lets nobody join any more",
    );
    assert.equal(status.status, "waiting");
  });

  await t.step("off for longer than certificate and token: names, and the way out", async () => {
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    await using agent = await start("renews");
    const { problems, names, controlPlane } = await agent.untilStatus(
      ({ problems }) => problems.length > 0,
      "a problem",
    );
    assert.equal(controlPlane!.certificate.state, "expired");
    assert.deepEqual(problems.map(({ code }) => code), ["TOKEN_EXPIRED"]);
    assert.equal(names.origin, "disk");
    assert.deepEqual((await agent.ask(NAME)).data, ["10.96.1.1"]);
    // What the remedy says is what an operator runs.
    const command = /kubectl (create token vm-sa -n vm --audience istio-ca)/.exec(
      problems[0].remedy,
    );
    assert.ok(command !== null, problems[0].remedy);
    await Deno.writeTextFile(tokenFile, await kubernetes.kubectl(command[1].split(" ")));
    await agent.untilConnected();
    assert.deepEqual(await agent.problems(), []);
  });

  await t.step("a wrong token, a wrong root: said plainly, and names go on", async () => {
    const cases = [
      ["TOKEN_REFUSED", "istio-token", await wrongAudience(mesh)],
      ["TOKEN_REFUSED", "istio-token", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"],
      ["TOKEN_UNREADABLE", "istio-token", ""],
      ["CONTROL_PLANE_UNTRUSTED", "root-cert.pem", (await makePluggedInCa("other")).root],
    ];
    for (const [code, file, content] of cases) {
      const good = await Deno.readTextFile(`${vm}/${file}`);
      await Deno.writeTextFile(`${vm}/${file}`, content);
      await Deno.remove(`${mesh.folder}/renews/state/credentials.json`);
      await using agent = await start("renews");
      const { problems, status } = await agent.untilStatus(
        ({ problems }) => problems.length > 0,
        "a problem",
      );
      assert.deepEqual(problems.map(({ code }) => code), [code]);
      assert.notEqual(problems[0].remedy, "");
      assert.equal(status, "degraded");
      assert.deepEqual((await agent.ask(NAME)).data, ["10.96.1.1"]);
      // Corrected, it goes on without a restart.
      await Deno.writeTextFile(`${vm}/${file}`, good);
      await agent.untilConnected();
      assert.deepEqual(await agent.problems(), []);
    }
  });

  await t.step(
    "a wrong trust domain: the identity that istiod gives is used, and said",
    async () => {
      const other = `${mesh.folder}/other.yaml`;
      await Deno.writeTextFile(other, "node: { trustDomain: other.example }\n");
      await using agent = await start("other", ["--config", other]);
      const { controlPlane } = await agent.untilConnected();
      assert.equal(controlPlane!.certificate.identity, "spiffe://cluster.local/ns/vm/sa/vm-sa");
      assert.deepEqual(await agent.problems(), ["IDENTITY_DIFFERS"]);
      assert.deepEqual((await agent.ask(NAME)).data, ["10.96.1.1"]);
    },
  );

  await t.step("the mesh's root is replaced while the agent runs", async () => {
    const rootFile = `${vm}/root-cert.pem`;
    const next = await makePluggedInCa("next");
    await using agent = await start("rotates");
    const { controlPlane } = await agent.untilConnected();
    const lookups = lookUpAllTheTime(agent, [NAME]);
    // First both are trusted everywhere, then the new CA signs, then the old root goes.
    await Deno.writeTextFile(rootFile, mesh.ca.root + next.root);
    await mesh.replaceCa(next, [mesh.ca.root, next.root]);
    await agent.untilStatus(
      (status) =>
        status.controlPlane!.state === "connected" &&
        Date.parse(status.controlPlane!.certificate.expiresAt) >
          Date.parse(controlPlane!.certificate.expiresAt) + 15_000,
      "a certificate of the new CA",
    );
    await Deno.writeTextFile(rootFile, next.root);
    await mesh.replaceCa(next, [next.root]);
    const { certificate } = (await agent.untilConnected()).controlPlane!;
    await agent.untilStatus(
      (status) =>
        status.controlPlane!.state === "connected" &&
        Date.parse(status.controlPlane!.certificate.expiresAt) > Date.parse(certificate.expiresAt),
      "a renewal by the new root alone",
    );
    assert.deepEqual(await agent.problems(), []);
    const { failed, tookMs } = await lookups.end();
    assert.deepEqual(failed, []);
    assert.ok(tookMs.length > 100);
  });
});

/** A token of the right account that is not meant for istiod. */
async function wrongAudience({ kubernetes }: RealMesh): Promise<string> {
  const audience = "https://kubernetes.default.svc";
  const args = ["create", "token", "vm-sa", "-n", "vm", "--audience", audience];
  return (await kubernetes.kubectl(args)).trim();
}
