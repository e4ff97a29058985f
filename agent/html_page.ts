/**
 * How pages for people look, wherever they are served: they hold no script, load nothing, and follow the
 * browser's light or dark colours. Pure.
 *
 * @module
 */

/** Headers of a page: whatever might get into it, nothing is run, loaded or framed. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Long words break, so that no window is too narrow. */
const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
body, code, pre { overflow-wrap: anywhere; }
code, pre { font-size: 14px; }
pre { background: color-mix(in srgb, currentColor 9%, transparent); padding: .7rem; border-radius: 4px;
  white-space: pre-wrap; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: bold; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; }
th { font-weight: normal; color: color-mix(in srgb, currentColor 75%, transparent);
  white-space: nowrap; }
.problem { border-left: 4px solid #d97706; padding-left: .8rem; margin: 1rem 0; }
@media (max-width: 30rem) {
  th, td { display: block; padding-right: 0; }
  td { padding-bottom: .5rem; }
}
`;

/** A whole page. @param options `title`: text; `body`: HTML */
export function htmlPage({ title, body }: { title: string; body: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** A table of labels and what they stand for, both HTML. */
export function htmlTable(
  rows: readonly (readonly [label: string, value: string])[],
  { caption = "" } = {},
): string {
  const title = caption === "" ? "" : `<caption>${escapeHtml(caption)}</caption>`;
  const lines = rows.map(([label, value]) => `<tr><th>${label}</th> <td>${value}</td></tr>`);
  return `<table>${title}\n${lines.join("\n")}\n</table>`;
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
