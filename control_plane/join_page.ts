/**
 * The page that explains to people how a machine joins. It holds no script and loads nothing.
 *
 * @module
 */

/** What the page shows. */
export interface JoinPageFacts {
  /** Where it was asked for, e.g. `https://cp.example.org:15443`. */
  origin: string;
  /** Content of `SHA256SUMS`. */
  sums: string;
  /** Of `install.sh`. */
  scriptSha256: string;
  /** Of `ca.pem`. */
  caSha256: string;
}

/** The page, HTML. */
export function joinPage({ origin, sums, scriptSha256, caSha256 }: JoinPageFacts): string {
  const names = sums.trim().split("\n").filter((line) => line !== "").map((line) =>
    line.split("  ")
  );
  const programs = names.length === 0
    ? "<p><strong>No program is handed out here:</strong> start the control plane with <code>--binaries</code>.</p>"
    : `<table><caption>Programs, and their SHA-256</caption>${
      names.map(([sum, name]) =>
        `<tr><td><a href="/${escape(name)}">${escape(name)}</a></td><td><code>${
          escape(sum)
        }</code></td></tr>`
      ).join("")
    }</table>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Join a machine to the mesh</title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-size: 14px; overflow-wrap: anywhere; }
pre { background: #eee; color: #111; padding: .7rem; white-space: pre-wrap; }
caption { text-align: left; font-weight: bold; }
td { padding-right: 1rem; vertical-align: top; }
</style>
</head>
<body>
<h1>Join a machine to the mesh</h1>
<p>This is a control plane of outrigger (${escape(origin)}). A machine that joins resolves the names
of the mesh through a small DNS proxy of its own.</p>
<ol>
<li>Where the control plane runs, make a token. It is good for one machine, unless <code>--uses</code>
says more:
<pre>outrigger control-plane token create --namespace vm --service-account vm-sa --ttl 1h</pre></li>
<li>Paste the line that this prints into a root shell of the machine, within the hour.</li>
</ol>
<p>Take the line from the control plane itself, and not from anybody else: it is what the machine
trusts. It downloads <a href="/install.sh">install.sh</a>, and runs it only if it has the SHA-256 in
the line. The script downloads <a href="/ca.pem">the certificate authority</a> and
<a href="/SHA256SUMS">the list of sums</a>, compares them with the sums in the line too, then takes the
program, compares that, and runs its <code>install</code>. The token goes by a pipe; it is in no URL and
no process's arguments. What was changed on the way is refused, and the machine is as it was.</p>
<p>To undo it on the machine: <code>outrigger uninstall --purge</code></p>
<h2>What a line must say</h2>
<table>
<tr><td><code>install.sh</code></td><td><code>${escape(scriptSha256)}</code></td></tr>
<tr><td><code>--ca-sha256</code></td><td><code>${escape(caSha256)}</code></td></tr>
</table>
${programs}
</body>
</html>
`;
}

/** Text as HTML. */
function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
