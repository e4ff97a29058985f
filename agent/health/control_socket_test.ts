import assert from "node:assert/strict";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { fetchUnix, serveUnix } from "../system/http.ts";
import { type ControlActions, controlHandler, ControlSocket } from "./control_socket.ts";
import { ControlListenError } from "./errors.ts";

const FLUSH = "/v1/cache/flush";
const post = (path: string, target = FLUSH) =>
  fetchUnix(path, target, { method: "POST", timeoutMs: 5_000 });

const open = async (path: string, actions: ControlActions) => {
  const socket = new ControlSocket(actions);
  await socket.listen(path);
  return socket;
};

/** Leaves a socket behind as an agent does that is killed. */
async function leaveSocket(path: string): Promise<void> {
  const listener = Deno.listen({ transport: "unix", path: `${path}.old` });
  // Closing removes the path that it was bound to.
  await Deno.rename(`${path}.old`, path);
  listener.close();
}

/** Actions that remember what they were asked for. */
function actions() {
  const flushed: string[] = [];
  const flushCache = (domain: string) => flushed.push(domain) && 7;
  return { flushed, flushCache };
}

Deno.test("controlHandler() answers its requests", async (t) => {
  const cases: [string, string, number, RegExp, string[]][] = [
    ["POST", FLUSH, 200, /"name": ".",\s+"flushed": 7/, [""]],
    ["POST", `${FLUSH}?name=.`, 200, /"flushed": 7/, [""]],
    ["POST", `${FLUSH}?name=Www.Example.ORG.`, 200, /"www.example.org"/, ["www.example.org"]],
    ["POST", `${FLUSH}?name=a..b`, 400, /name \\"a..b\\" is not a domain name/, []],
    ["POST", `${FLUSH}?name=`, 400, /not a domain name/, []],
    ["POST", "/v1/nothing", 404, /nothing at \/v1\/nothing/, []],
    ["POST", "/constructor", 404, /nothing at/, []],
    ["GET", FLUSH, 405, /only POST/, []],
    ["DELETE", FLUSH, 405, /only POST/, []],
  ];
  for (const [method, target, status, body, expected] of cases) {
    await t.step(`${method} ${target}`, async () => {
      const { flushed, flushCache } = actions();
      const request = new Request(`http://localhost${target}`, { method });
      const response = controlHandler({ flushCache })(request);
      assert.equal(response.status, status);
      assert.match(await response.text(), body);
      assert.deepEqual(flushed, expected);
    });
  }
});

Deno.test("ControlSocket is its owner's alone, and gone when it is closed", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = `${directory.path}/control.sock`;
  const { flushed, flushCache } = actions();
  const socket = await open(path, { flushCache });
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  assert.equal((await (await post(path)).json()).flushed, 7);
  assert.deepEqual(flushed, [""]);
  await socket.listen(`${directory.path}/moved.sock`);
  assert.deepEqual([...Deno.readDirSync(directory.path)].map(({ name }) => name), ["moved.sock"]);
  await socket.close();
  assert.deepEqual([[...Deno.readDirSync(directory.path)], socket.path], [[], ""]);
});

Deno.test("ControlSocket.listen() replaces what is left behind, and nothing else", async (t) => {
  await using directory = await TemporaryDirectory.make();
  const path = `${directory.path}/control.sock`;
  await t.step("the socket of an agent that is gone", async () => {
    await leaveSocket(path);
    const socket = await open(path, actions());
    assert.equal((await post(path)).status, 200);
    await socket.close();
  });
  const refused = async (reason: RegExp) => {
    await assert.rejects(
      open(path, actions()),
      (error: unknown) => error instanceof ControlListenError && reason.test(error.message),
    );
  };
  await t.step("not that of another agent", async () => {
    const first = actions();
    const socket = await open(path, first);
    await refused(/control\.sock: another program serves there\..*control\.socket/);
    assert.equal((await post(path)).status, 200);
    assert.deepEqual(first.flushed, [""]);
    await socket.close();
  });
  await t.step("not a file", async () => {
    await Deno.writeTextFile(path, "mine");
    await refused(/there is a file, and no socket/);
    assert.equal(await Deno.readTextFile(path), "mine");
    await Deno.remove(path);
  });
  await t.step("not below a file", async () => {
    await assert.rejects(open("/dev/null/control.sock", actions()), ControlListenError);
  });
  assert.deepEqual([...Deno.readDirSync(directory.path)], []);
});

Deno.test("ControlSocket.close() leaves the socket of who came after it", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = `${directory.path}/control.sock`;
  const first = await open(path, actions());
  await Deno.remove(path);
  const second = await serveUnix(path, () => new Response("second"));
  await first.close();
  assert.equal(await (await post(path)).text(), "second");
  await second.close();
});

Deno.test("fetchUnix() says by its code why it could not connect", async (t) => {
  await using directory = await TemporaryDirectory.make();
  const left = `${directory.path}/left.sock`;
  await leaveSocket(left);
  for (const [path, code] of [[`${directory.path}/absent`, "ENOENT"], [left, "ECONNREFUSED"]]) {
    await t.step(code, () => assert.rejects(post(path), { code }));
  }
});
