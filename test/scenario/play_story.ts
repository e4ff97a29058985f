/**
 * Plays a story over the real agent, and tells where it went another way than the story says.
 *
 * @module
 */
import { Scene, StoryFailure } from "./scene.ts";
import type { Story } from "./story.ts";

/** How many of the last events a report shows. */
const EVENTS_SHOWN = 40;

/** Plays it. @throws {StoryFailure} with the story, the line, and what really happened */
export async function playStory(story: Story, options: { seed?: number } = {}): Promise<void> {
  const scene = new Scene({ seed: options.seed ?? 1 });
  let line = story.lines.length;
  try {
    for (const { line: next, step } of story.steps) {
      line = next;
      await step(scene);
      scene.checkFaults();
    }
    line = story.lines.length;
    await scene.end();
  } catch (error) {
    throw new StoryFailure(report(story, { line, error, events: scene.events }), { cause: error });
  } finally {
    await scene.close();
  }
}

function report(
  { file, title, lines }: Story,
  { line, error, events }: { line: number; error: unknown; events: readonly string[] },
): string {
  const what = error instanceof StoryFailure
    ? error.message
    : error instanceof Error
    ? error.stack
    : String(error);
  const width = String(lines.length).length;
  const told = lines.map((text, index) => {
    const mark = index + 1 === line ? ">" : " ";
    return `${mark} ${String(index + 1).padStart(width)} ${text}`.trimEnd();
  });
  const shown = events.slice(-EVENTS_SHOWN);
  return [
    `${file}:${line}: ${title}`,
    what,
    "",
    ...told,
    "",
    events.length > shown.length ? "What happened last:" : "What happened:",
    ...shown,
    "",
  ].join("\n");
}
