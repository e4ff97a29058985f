import assert from "node:assert/strict";
import { StatusProblems } from "./status_problems.ts";

Deno.test("StatusProblems keeps one problem a part until it is mended, and logs each", () => {
  const logged: string[] = [];
  const problems = new StatusProblems({ warn: (text) => void logged.push(text) });
  const problem = (message: string) => ({ code: "CONFIG_REFUSED", message, remedy: "Mend it." });
  problems.set("config", problem("first"));
  problems.set("config", problem("second"));
  problems.set("names", problem("third"));
  assert.deepEqual(problems.list().map(({ message }) => message), ["second", "third"]);
  problems.set("config", undefined);
  problems.set("config", undefined);
  assert.deepEqual(problems.list().map(({ message }) => message), ["third"]);
  assert.deepEqual(logged, ["first", "second", "third"]);
});
