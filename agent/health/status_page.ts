/**
 * The page of the health endpoint for people: the status, what is wrong first, and where the rest is found.
 *
 * @module
 */
import { escapeHtml, htmlPage, htmlTable } from "../html_page.ts";
import type { StatusReport } from "./api.ts";
import { statusRows } from "./status_rows.ts";

/** A path of the endpoint. */
export interface StatusPageLink {
  /** E.g. `/api/v1/names`. */
  path: string;
  /** What it is for. */
  about: string;
}

/** The page, HTML. */
export function statusPage(report: StatusReport, links: readonly StatusPageLink[]): string {
  const { node: { name }, status, problems } = report;
  const wrong = problems.map(({ message, remedy }) =>
    `<div class="problem"><strong>${escapeHtml(message)}</strong>${
      remedy === "" ? "" : `<br>To do: ${escapeHtml(remedy)}`
    }</div>`
  );
  const rows = statusRows(report).map(([label, text]) =>
    [escapeHtml(label), escapeHtml(text)] as const
  );
  const paths = links.map(({ path, about }) =>
    [`<a href="${escapeHtml(path)}">${escapeHtml(path)}</a>`, escapeHtml(about)] as const
  );
  const title = `outrigger on ${name}: ${status}`;
  return htmlPage({
    title,
    body: `<h1>${escapeHtml(title)}</h1>
${wrong.join("\n")}
${htmlTable(rows)}
<h2>More</h2>
${htmlTable(paths)}
<p>In a terminal: <code>outrigger status</code>, <code>outrigger lookup NAME</code>,
<code>outrigger doctor</code></p>`,
  });
}
