/**
 * The page that explains to people how a machine joins. It holds no script and loads nothing.
 *
 * @module
 */
import { escapeHtml, htmlPage, htmlTable } from "../agent/html_page.ts";

/** Where machines reach a control plane. */
export interface ReachedAt {
  /** Of the HTTPS server, e.g. `https://cp.example.org:15443`. */
  url: string;
  /** `host:port` of the gRPC server. */
  grpcAddress: string;
}

/** What the page shows. */
export interface JoinPageFacts extends ReachedAt {
  /** Content of `SHA256SUMS`. */
  sums: string;
  /** Of `install.sh`. */
  scriptSha256: string;
  /** Of `ca.pem`. */
  caSha256: string;
  /** Of `SHA256SUMS`. */
  sumsSha256: string;
}

/** The page, HTML. */
export function joinPage(
  { url, grpcAddress, sums, scriptSha256, caSha256, sumsSha256 }: JoinPageFacts,
): string {
  const programs = sums.trim().split("\n").filter((line) => line !== "").map((line) => {
    const [sum, name] = line.split("  ");
    return [`<a href="/${escapeHtml(name)}">${escapeHtml(name)}</a>`, code(sum)] as const;
  });
  const list = programs.length === 0
    ? "<p><strong>No program is handed out here:</strong> start the control plane with <code>--binaries</code>.</p>"
    : htmlTable(programs, { caption: "Programs, and their SHA-256" });
  const parts = {
    "install.sh": scriptSha256,
    "--url": url,
    "--ca-sha256": caSha256,
    "--sums-sha256": sumsSha256,
    "--control-plane": grpcAddress,
  };
  const place = escapeHtml(url);
  return htmlPage({
    title: "Join a machine to the mesh",
    body: `<h1>Join a machine to the mesh</h1>
<p>This is a control plane of outrigger (${place}). A machine that joins resolves the
names of the mesh through a small DNS proxy of its own.</p>
<ol>
<li>Where the control plane runs, make a token. It is good for one machine, unless <code>--uses</code>
says more; where the control plane was given a <code>--state-dir</code>, this takes the same one:
<pre>outrigger control-plane token create --namespace vm --service-account vm-sa --ttl 1h</pre></li>
<li>Paste the line that this prints into a root shell of the machine, within the hour.</li>
</ol>
<p>Take the line from the control plane itself, and not from anybody else: it is what the machine
trusts. It downloads <a href="/install.sh">install.sh</a>, and runs it only if it has the SHA-256 in
the line. The script downloads <a href="/ca.pem">the certificate authority</a> and
<a href="/SHA256SUMS">the list of sums</a>, compares them with the sums in the line too, then takes the
program, compares that, and runs its <code>install</code>. The token goes by a pipe; it is in no URL and
no process's arguments. What was changed on the way is refused, and the machine is as it was.</p>
<p>To undo it on the machine:</p>
<pre>outrigger uninstall --purge</pre>
<h2>What a line must say</h2>
${htmlTable(Object.entries(parts).map(([name, value]) => [code(name), code(value)]))}
${list}`,
  });
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}
