import assert from "node:assert/strict";
import { requirePrograms } from "./required_programs.ts";

Deno.test("requirePrograms() names what is missing, and its packages", async () => {
  await requirePrograms([{ program: "sh", package: "dash" }, { program: "/", package: "nothing" }]);
  await assert.rejects(
    requirePrograms([
      { program: "sh", package: "dash" },
      { program: "no-such-program", package: "one" },
      { program: "/no/such/file", package: "two" },
    ]),
    { message: 'Missing: "no-such-program", "/no/such/file"; install one, two' },
  );
});
