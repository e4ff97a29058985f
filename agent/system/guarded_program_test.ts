import assert from "node:assert/strict";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { runGuarded } from "./guarded_program.ts";

Deno.test("runGuarded() starts a program anew after crashes, until it ends by itself", async () => {
  await using directory = await TemporaryDirectory.make();
  const runs = `${directory.path}/runs`;
  const crashes: string[] = [];
  const program = `echo $OUTRIGGER_GUARDED >> ${runs}
case $(wc -l < ${runs}) in 1) kill -SEGV $$ ;; 2) kill -ABRT $$ ;; esac
exit 7`;
  const code = await runGuarded(["sh", "-c", program], (signal) => crashes.push(signal));
  assert.deepEqual([code, crashes], [7, ["SIGSEGV", "SIGABRT"]]);
  assert.equal(await Deno.readTextFile(runs), "1\n1\n1\n");
});

Deno.test("runGuarded() takes no kill for a crash", async () => {
  const crashes: string[] = [];
  const code = await runGuarded(["sh", "-c", "kill -KILL $$"], (signal) => crashes.push(signal));
  assert.deepEqual([code, crashes], [137, []]);
});
