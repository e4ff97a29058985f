import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { AgentProcess } from "../support/agent_process.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { Browser } from "./browser.ts";
import { CREATE_TOKEN, PlaneProcess } from "./plane_process.ts";

const HOST = "cp.example.org";
/** A phone, a tablet that is held upright, a large screen. */
const WIDTHS = [320, 768, 1920];

/** Asks the page itself; texts, since Deno's types know no document. */
const ask = <T>(page: Page, expression: string) => page.evaluate<T>(expression);
const textOf = (page: Page) => ask<string>(page, "document.body.textContent");

/** What holds for every page: it asks for nothing but itself, complains of nothing, and fits any window. */
async function checkPage(t: Deno.TestContext, browser: Browser, url: string) {
  const { page, complaints, requests } = await browser.open(url);
  await t.step("asks for nothing but itself, and complains of nothing", () => {
    assert.deepEqual(requests, [url]);
    assert.deepEqual(complaints, []);
  });
  for (const width of WIDTHS) {
    await t.step(`fits a window of ${width} pixels`, async () => {
      await page.setViewportSize({ width, height: 800 });
      const needed = await ask<number>(page, "document.documentElement.scrollWidth");
      assert.ok(needed <= width, `${needed} pixels`);
    });
  }
  await t.step("follows light and dark colours", async () => {
    const colours = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      colours.push(await ask<string>(page, "getComputedStyle(document.body).color"));
    }
    assert.deepEqual(colours, ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]);
  });
  return page;
}

Deno.test("the page to join by, and the agent's, in a browser", async (t) => {
  await using directory = await TemporaryDirectory.make();
  await using plane = await PlaneProcess.start({ folder: directory.path, host: HOST });
  const token = await plane.createToken();
  const tokenFile = await directory.write("token", token);

  await t.step("the page to join by", async (t) => {
    await using browser = await Browser.start({ host: HOST, authority: plane.rootCert });
    const page = await checkPage(t, browser, `${plane.url}/`);

    await t.step("says what it is, and what a line must say", async () => {
      assert.equal(await page.title(), "Join a machine to the mesh");
      const text = await textOf(page);
      assert.match(text, /one machine, unless --uses\s+says more/);
      const sums = (await plane.get("/SHA256SUMS")).text;
      const line = await plane.line();
      for (const flag of ["--url", "--ca-sha256", "--sums-sha256", "--control-plane"]) {
        const [, value] = new RegExp(`${flag} (\\S+)`).exec(line)!;
        assert.match(text, new RegExp(`${flag}\\s+${value.replaceAll(".", "\\.")}\\s`), flag);
      }
      for (const word of sums.trim().split(/\s+/)) assert.ok(text.includes(word), word);
    });

    await t.step("shows no secret", async () => {
      const html = await page.content();
      assert.doesNotMatch(html, /ort_|PRIVATE KEY/);
    });

    await t.step("its commands can be copied as they are", async () => {
      await page.setViewportSize({ width: 320, height: 800 });
      const [create, undo] = await ask<string[]>(
        page,
        `[...document.querySelectorAll("pre")].map((element) => {
          getSelection().selectAllChildren(element);
          return getSelection().toString();
        })`,
      );
      assert.equal(undo, "outrigger uninstall --purge");
      assert.equal(create, CREATE_TOKEN);
    });

    await t.step("its links lead to what machines join with", async () => {
      const links = await ask<string[]>(
        page,
        '[...document.querySelectorAll("a")].map(({ href }) => href)',
      );
      assert.ok(links.includes(`${plane.url}/install.sh`));
      for (const link of links) {
        const { origin, pathname } = new URL(link);
        assert.equal(origin, plane.url);
        assert.equal((await plane.get(pathname)).status, 200, link);
      }
    });

    await t.step("is the same without scripts", async () => {
      await using browser = await Browser.start({
        host: HOST,
        authority: plane.rootCert,
        javaScriptEnabled: false,
      });
      const { page: plain } = await browser.open(`${plane.url}/`);
      assert.equal(await textOf(plain), await textOf(page));
    });
  });

  await t.step("a browser without the authority refuses the page", async () => {
    await using browser = await Browser.start({ host: HOST });
    await assert.rejects(browser.open(`${plane.url}/`), /ERR_CERT_AUTHORITY_INVALID/);
  });

  await t.step("the agent's page", async (t) => {
    await using agent = await AgentProcess.start({
      folder: join(directory.path, "agent"),
      args: [
        ...["--control-plane", plane.grpcAddress, "--root-cert", plane.rootCert],
        ...["--token", tokenFile, "--upstream", "192.0.2.1"],
      ],
    });
    await agent.untilConnected();
    await using browser = await Browser.start({ host: HOST });
    const url = `http://127.0.0.1:${agent.ports.health}/`;
    const page = await checkPage(t, browser, url);

    await t.step("says how the agent is, and where the rest is", async () => {
      const { node, names } = await agent.status();
      assert.match(await page.title(), new RegExp(`^outrigger on ${node.name}: (ok|degraded)$`));
      const text = await textOf(page);
      assert.match(text, new RegExp(`names\\s+${names.hosts} hosts from control-plane`));
      assert.match(text, /certificate\s+valid, spiffe:\/\/cluster\.local\/ns\/vm\/sa\/vm-sa/);
      await page.getByRole("link", { name: "/api/v1/names" }).click();
      await page.waitForURL("**/api/v1/names");
      assert.match(await textOf(page), /"productpage\.ns1\.svc\.cluster\.local"/);
    });

    await t.step("shows no secret", async () => {
      await page.goto(url);
      const html = await page.content();
      assert.ok(!html.includes(token.trim()));
      assert.doesNotMatch(html, /ort_|PRIVATE KEY/);
    });

    await t.step("says the same without scripts", async () => {
      await using browser = await Browser.start({ host: HOST, javaScriptEnabled: false });
      const { page: plain } = await browser.open(url);
      // All but what changes meanwhile.
      const labels = (page: Page) =>
        ask<string>(
          page,
          '[...document.querySelectorAll("h2, th")].map((e) => e.textContent).join()',
        );
      assert.match(await labels(plain), /^status,serving,.*names,.*,More,.*\/metrics/);
      assert.equal(await labels(plain), await labels(page));
    });
  });
});
