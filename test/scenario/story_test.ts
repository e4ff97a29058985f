import assert from "node:assert/strict";
import { SERVER_FORMS } from "./server_behaviour.ts";
import { STATEMENTS } from "./statements.ts";
import { playStory } from "./play_story.ts";
import { parseStory, StorySyntaxError } from "./story.ts";

const HEAD = "A title\n\n";

Deno.test("parseStory() names the file and the line of everything that is wrong", async (t) => {
  const cases: [string, string, RegExp][] = [
    ["no title", "\nthe agent starts\n", /^x\.story:1: a story begins with its title/],
    ["a comment as title", "# no\n\nthe agent starts\n", /^x\.story:1: a story begins/],
    ["no blank line", "A title\nthe agent starts\n", /^x\.story:2: a blank line follows/],
    ["no statements", "A title\n", /^x\.story:1: a story has statements/],
    ["an unknown statement", `${HEAD}the moon rises\n`, /^x\.story:3: "the moon rises" is no st/],
    ["an indented line alone", `${HEAD}  a 60 A 192.0.2.1\n`, /^x\.story:3: an indented line/],
    ["a block below a statement without one", `${HEAD}nothing is sent\n  x\n`, /^x\.story:4: noth/],
    ["a block of one space", `${HEAD}mesh\n a.example 192.0.2.1\n`, /^x\.story:4: .* two spaces/],
    ["a bad host", `${HEAD}mesh\n  a.example 192.0.2.1\n  b.example here\n`, /:5: "here" is no IP/],
    ["a bad record", `${HEAD}server 192.0.2.53\n  a.example 60 A here\n`, /:4: "here" is no data/],
    ["a bad behaviour", `${HEAD}server 192.0.2.53\n  sings\n`, /:4: a server does not "sings"/],
    ["a bad behaviour later", `${HEAD}server 192.0.2.53 sings\n`, /:3: a server does not "sings"/],
    ["a bad duration", `${HEAD}server 192.0.2.53 takes long\n`, /:3: "long" is no duration/],
    ["a bad server", `${HEAD}server 192.0.2.530\n`, /:3: "192\.0\.2\.530" is no IP address/],
    ["a bad question", `${HEAD}client asks a.example A, loudly\n`, /:3: "loudly" says nothing/],
    ["a bad answer", `${HEAD}client gets NOERROR, gladly\n`, /:3: "gladly" says nothing about/],
    ["a bad record of an answer", `${HEAD}client gets NOERROR\n  a 1 A x\n`, /:4: "x" is no data/],
    ["a bad question of a server", `${HEAD}server 192.0.2.53 is asked a A, b\n`, /:3: "b" says/],
  ];
  for (const [title, text, message] of cases) {
    await t.step(title, () => {
      assert.throws(() => parseStory(text, { file: "x.story" }), (error) => {
        assert.ok(error instanceof StorySyntaxError);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

Deno.test("parseStory() tells every problem at once", () => {
  assert.throws(
    () => parseStory(`${HEAD}one\nmesh\n  a.example x\ntwo\n`, { file: "x.story" }),
    (error) => {
      const places = (error as StorySyntaxError).problems.map((text) => text.split(": ")[0]);
      assert.deepEqual(places, ["x.story:3", "x.story:5", "x.story:6"]);
      return true;
    },
  );
});

Deno.test("parseStory() reads statements with their lines, and passes over comments", () => {
  const text = `${HEAD}# why\nmesh\n  # one\n  a.example 192.0.2.1\n\nthe agent starts\n`;
  const story = parseStory(text, { file: "x.story" });
  assert.equal(story.title, "A title");
  assert.deepEqual(story.steps.map(({ line }) => line), [4, 8]);
});

Deno.test("the README tells of every statement, as it is read", async () => {
  const text = (await Deno.readTextFile(new URL("README.md", import.meta.url)))
    .replaceAll(/\s+/g, " ");
  for (const form of [...STATEMENTS.map(({ form }) => form), ...SERVER_FORMS]) {
    assert.ok(text.includes(`\`${form}\``), form);
  }
  for (const { form, pattern } of STATEMENTS) assert.match(form, pattern);
});

Deno.test("the README's story is one", async () => {
  const text = await Deno.readTextFile(new URL("README.md", import.meta.url));
  const [, story] = /```\n([\s\S]*?)```/.exec(text)!;
  await playStory(parseStory(story, { file: "README.md" }));
});
