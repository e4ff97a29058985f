import assert from "node:assert/strict";
import fc from "fast-check";
import { parseShellVariables } from "./shell_variables.ts";

function values(text: string): Record<string, string> {
  const { variables, problems } = parseShellVariables(text);
  assert.deepEqual(problems, []);
  return Object.fromEntries([...variables.values()].map(({ name, value }) => [name, value]));
}

Deno.test("quoted values, plain ones, comments and empty lines are read", () => {
  const text = [
    "# from istioctl",
    "",
    "CA_ADDR='istiod.istio-system.svc:15012'",
    'LABELS=\'{"app":"it\'"\'"\'s"}\'  # a comment',
    "export PLAIN=a,b=c",
    String.raw`DOUBLE="a \"b\" \$c \d"`,
    String.raw`ESCAPED=a\ b\'c`,
    "EMPTY=''",
    "NOTHING=",
    "TWO='a\nb'",
    "PLAIN=last",
  ].join("\n");
  assert.deepEqual(values(text), {
    CA_ADDR: "istiod.istio-system.svc:15012",
    LABELS: `{"app":"it's"}`,
    PLAIN: "last",
    DOUBLE: String.raw`a "b" $c \d`,
    ESCAPED: "a b'c",
    EMPTY: "",
    NOTHING: "",
    TWO: "a\nb",
  });
});

Deno.test("lines are counted, also behind a value of several lines", () => {
  const { variables } = parseShellVariables("A='x\ny'\r\nB=1\n\nC=2");
  assert.deepEqual([...variables.values()].map(({ name, line }) => [name, line]), [
    ["A", 1],
    ["B", 3],
    ["C", 5],
  ]);
});

Deno.test("what a shell would run or expand is a problem of its line, and the others are read", () => {
  const lines = [
    "A=$(id)",
    "B=`id`",
    'C="$HOME"',
    "D=a b",
    "rm -rf x",
    "E=1;id",
    "F=ok",
    "G='open",
  ];
  const { variables, problems } = parseShellVariables(lines.join("\n"));
  assert.deepEqual([...variables.keys()], ["F"]);
  assert.deepEqual(problems.map((problem) => parseInt(problem)), [1, 2, 3, 4, 5, 6, 8]);
  assert.match(problems[0], /not expanded/);
  assert.match(problems[3], /must be quoted/);
  assert.match(problems[4], /NAME=value/);
  assert.match(problems[6], /not closed/);
});

Deno.test("what a shell prints back, quoted, is what was put in", async () => {
  const value = fc.string({ unit: "binary-ascii" }).filter((text) => !/[\0\r]/.test(text));
  await fc.assert(
    fc.asyncProperty(value, async (text) => {
      const quoted = `V='${text.replaceAll("'", `'"'"'`)}'`;
      assert.deepEqual(values(quoted), { V: text });
      const child = new Deno.Command("sh", { args: ["-c", `${quoted}; printf %s. "$V"`] });
      const { stdout } = await child.output();
      assert.equal(new TextDecoder().decode(stdout), `${text}.`);
    }),
    { numRuns: 30 },
  );
});

Deno.test("no text makes it throw or hang", () => {
  fc.assert(fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
    const { problems } = parseShellVariables(text);
    for (const problem of problems) assert.match(problem, /^\d+: /);
  }));
});
