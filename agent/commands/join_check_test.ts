import assert from "node:assert/strict";
import { systemClock } from "../system/clock.ts";
import { systemFiles } from "../system/files.ts";
import { formatSocketAddress } from "../system/socket_address.ts";
import { ControlPlaneFixture } from "../../test/support/control_plane_fixture.ts";
import { checkJoin } from "./join_check.ts";

Deno.test({
  name: "checkJoin() says whether a control plane takes a token, and costs the token nothing",
  // grpc-js keeps timers and sockets for a moment after a channel is closed.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using fixture = await ControlPlaneFixture.make();
    await using other = await ControlPlaneFixture.make();
    const { plane } = fixture;
    const address = formatSocketAddress(plane.grpcAddress);
    const good = {
      roots: await Deno.readTextFile(plane.rootCertificatePath),
      serverName: "istiod.istio-system.svc",
      token: await fixture.token(),
      clock: systemClock,
      files: systemFiles,
    };
    await checkJoin(address, good);
    await checkJoin(address, good);
    await checkJoin(`localhost:${plane.grpcAddress.port}`, good);
    const { roots } = good;
    const foreign = await Deno.readTextFile(other.plane.rootCertificatePath);
    const refused = (more: Partial<typeof good>, message: RegExp, at = address) =>
      assert.rejects(checkJoin(at, { ...good, ...more }), message);
    await refused(
      { token: "ort_x" },
      /refuses the token: the token is not known here\..*Nothing was changed on this machine/,
    );
    await refused({ roots: foreign }, /could not prove itself: .*is not of the root certificate/);
    await refused({ token: await fixture.token("ns1", -1) }, /the token expired at /);
    await fixture.stop();
    await refused({ roots }, /does not answer/);
    await refused({}, /"none\.invalid" has no address/, "none.invalid:15012");
  },
});
