import { parseStory } from "./story.ts";
import { playStory } from "./play_story.ts";

const folder = new URL("stories/", import.meta.url);
const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
for (const name of names.filter((name) => name.endsWith(".story")).sort()) {
  const text = await Deno.readTextFile(new URL(name, folder));
  const story = parseStory(text, { file: `test/scenario/stories/${name}` });
  Deno.test(`story: ${story.title}`, () => playStory(story));
}
