import assert from "node:assert/strict";
import { escapeHtml, htmlPage } from "./html_page.ts";

Deno.test("escapeHtml() leaves nothing that ends a text or an attribute", () => {
  assert.equal(
    escapeHtml(`<a href="x" title='y'>&`),
    "&#60;a href=&#34;x&#34; title=&#39;y&#39;&#62;&#38;",
  );
});

Deno.test("htmlPage() escapes its title, and loads nothing", () => {
  const page = htmlPage({ title: "</title><script>", body: "<p>body</p>" });
  assert.match(page, /^<!doctype html>/);
  assert.ok(page.includes("<p>body</p>"));
  assert.doesNotMatch(page, /<script|src=|@import|url\(/i);
});
