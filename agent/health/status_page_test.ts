import assert from "node:assert/strict";
import { statusReport } from "../../test/support/doctor_facts.ts";
import { statusPage } from "./status_page.ts";

Deno.test("statusPage() shows what is wrong first, then how things are, and where the rest is", () => {
  const report = statusReport({
    status: "degraded",
    problems: [
      { code: "A", message: "The token <b>expired</b>", remedy: "Put a fresh one there." },
      { code: "B", message: "Something passes", remedy: "" },
    ],
  });
  const page = statusPage(report, [{ path: "/metrics", about: "counters" }]);
  assert.match(page, /<title>outrigger on vm-1: degraded<\/title>/);
  const order = [
    "The token &#60;b&#62;expired&#60;/b&#62;</strong><br>To do: Put a fresh one there.</div>",
    "Something passes</strong></div>",
    "<th>status</th> <td>degraded, version 0.1.0, up 1 min</td>",
    "<th>names</th> <td>12 hosts from control-plane, version 7",
    '<a href="/metrics">/metrics</a></th> <td>counters</td>',
  ].map((part) => page.indexOf(part));
  assert.ok(!order.includes(-1), `${order}`);
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
});
