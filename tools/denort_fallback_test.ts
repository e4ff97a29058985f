import assert from "node:assert/strict";
import { fallbackBase, NoBaseError } from "./denort_fallback.ts";

Deno.test("fallbackBase() has none for arm64, and says what to do", async () => {
  await assert.rejects(
    fallbackBase("aarch64-unknown-linux-gnu"),
    (error) =>
      error instanceof NoBaseError &&
      /not for Deno \S+ on aarch64-unknown-linux-gnu: set DENORT_BIN to a denort of this version/
        .test(error.message),
  );
});
