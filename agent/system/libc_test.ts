import assert from "node:assert/strict";
import { Errno, libc, SystemCallError } from "./libc.ts";

Deno.test("libc() tells the error of a call that failed", () => {
  const { call, errno } = libc();
  assert.equal(call.close(-1), -1);
  assert.equal(errno(), Errno.EBADF);
  const error = new SystemCallError(errno(), "Could not close it");
  assert.deepEqual([error.code, error.errno, error.message], [
    "EBADF",
    9,
    "Could not close it: EBADF",
  ]);
  assert.equal(new SystemCallError(4000, "Could not").code, "ERRNO_4000");
});

Deno.test("libc() is opened once for each thread", () => {
  assert.equal(libc(), libc());
});

Deno.test("libc() that may not be opened is an error of the environment", async () => {
  const script = `
    import { libc } from "${new URL("./libc.ts", import.meta.url)}";
    try { libc(); } catch (error) { console.log(error.code, "|", error.message); }`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--quiet",
      "data:application/typescript," + encodeURIComponent(script),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  assert.match(
    said,
    /^LIBC_UNAVAILABLE \| Could not open the C library "libc.so.6": Requires ffi access/,
  );
});
