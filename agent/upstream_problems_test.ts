import assert from "node:assert/strict";
import { upstreamProblems } from "./upstream_problems.ts";

Deno.test("upstreamProblems() names each group of which no server answers", () => {
  const server = (server: string, healthy: boolean, domain?: string) => ({
    server,
    healthy,
    lastError: healthy ? "" : "no answer in 1000 ms",
    ...(domain !== undefined && { domain }),
  });
  const well = [server("192.0.2.1:53", true), server("192.0.2.2:53", false)];
  assert.deepEqual(upstreamProblems(well), []);
  const corp = server("192.0.2.3:53", false, "corp.example");
  const [problem, ...others] = upstreamProblems([...well, corp]);
  assert.equal(problem.code, "UPSTREAM_SILENT");
  assert.equal(
    problem.message,
    "No nameserver of corp.example answers: 192.0.2.3:53 (no answer in 1000 ms)",
  );
  assert.deepEqual(others, []);
  const messages = upstreamProblems([well[1], corp]).map(({ message }) => message);
  assert.equal(messages.length, 2);
  assert.match(messages[0], /^No nameserver answers: 192\.0\.2\.2:53/);
});
