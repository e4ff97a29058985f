import assert from "node:assert/strict";
import { startWorker } from "./worker.ts";

const module = new URL("./worker.ts", import.meta.url);
const program = (text: string) =>
  new URL(
    `data:text/javascript,${
      encodeURIComponent(`import { serveRequests } from "${module}"; ${text}`)
    }`,
  );

Deno.test("startWorker() gives each request its answer", async () => {
  const worker = startWorker(program("serveRequests((number) => number * 2);"));
  assert.deepEqual(await Promise.all([1, 2, 3].map((n) => worker.request(n))), [2, 4, 6]);
  worker.close();
  await assert.rejects(worker.request(4), /the worker was ended/);
});

Deno.test("startWorker() tells what a worker died of, and stays standing", async () => {
  const worker = startWorker(program("serveRequests(() => { throw new Error('of this'); });"));
  const requests = await Promise.allSettled([worker.request(1), worker.request(2)]);
  for (const request of requests) {
    assert.ok(request.status === "rejected");
    assert.match(request.reason.message, /of this/);
  }
  await assert.rejects(worker.request(3), /of this/);
  worker.close();
});

Deno.test("startWorker() ends a worker that is at work", async () => {
  const worker = startWorker(program("serveRequests(() => { for (;;); });"));
  const request = worker.request(1);
  worker.close();
  await assert.rejects(request, /the worker was ended/);
});
