import assert from "node:assert/strict";
import { commandContext } from "../../test/support/command_context.ts";
import { settle } from "../../test/support/manual_clock.ts";
import type { Config } from "../config/config.ts";
import { systemNetwork } from "../system/network.ts";
import { systemProcess } from "../system/process.ts";
import { runDemo } from "./demo.ts";
import { showTranscript } from "./demo_transcript.ts";
import { DemoUpstream } from "./demo_upstream.ts";

/** grpc-js keeps timers and sockets for a moment after a channel is closed. */
Deno.test({
  name: "runDemo() resolves everything as it must be, and ends with 0",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const { context: own, output } = commandContext({ process: systemProcess });
    assert.equal(await runDemo({ exit: true }, own), 0);
    const text = output();
    assert.doesNotMatch(text, /DIFFERS/);
    assert.match(
      text,
      /mysql-instance1\S+ A 240\.240\.0\.1\n[\s\S]*mysql-instance2\S+ A 240\.240\.0\.2\n/,
    );
    assert.match(text, /plain nameserver: 12 queries/);
    assert.match(text, /outrigger: {8}2 queries/);
  },
});

Deno.test("showTranscript() says what differs", async () => {
  // A server that knows nothing of the mesh, in the place of the agent.
  const upstream = await DemoUpstream.start(systemNetwork, {});
  const { context: own, output } = commandContext({ process: systemProcess });
  const config = {
    controlPlane: { addresses: ["127.0.0.1:15012"] },
    dns: { searchDomains: ["ns1.svc.cluster.local"] },
  } as Config;
  assert.equal(await showTranscript({ server: upstream.address, upstream, config }, own), false);
  assert.match(output(), /productpage\.ns1\.svc\.cluster\.local A\n {2}= NXDOMAIN\n .* DIFFERS/);
  assert.match(output(), /Asked upstream so far: .* DIFFERS/);
  upstream.close();
  await settle();
});
