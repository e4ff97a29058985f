import assert from "node:assert/strict";
import { playStory } from "./play_story.ts";
import { StoryFailure } from "./scene.ts";
import { parseStory } from "./story.ts";

/** What every case begins with; its own lines begin at line 11. */
const START = `A title

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  www.example.org 60 A 198.51.100.7
server 192.0.2.54
  www.example.org 60 A 198.51.100.8

the agent starts
`;
const play = (text: string) => playStory(parseStory(START + text, { file: "x.story" }));
const ASKED = "client asks www.example.org A\nserver 192.0.2.53 is asked www.example.org A\n";
const MESH = "client asks reviews.ns1 A, EDNS 1232\n";

Deno.test("playStory() fails, at the line, where an expectation does not hold", async (t) => {
  const cases: [string, string, number, RegExp][] = [
    ["no answer", "client gets NOERROR\n", 11, /client got no answer within 100 ms/],
    ["no answer in a given time", "within 2 s, client gets NOERROR\n", 11, /within 2000 ms/],
    ["an rcode", `${MESH}client gets NXDOMAIN\n`, 12, /its rcode is not NXDOMAIN/],
    ["a flag", `${MESH}client gets NOERROR, AD, some records\n`, 12, /"AD" does not hold/],
    ["a flag that is not there", `${MESH}client gets NOERROR, no AA\n`, 12, /"no AA" does not/],
    ["EDNS", `${MESH}client gets NOERROR, EDNS 4096\n`, 12, /"EDNS 4096" does not hold/],
    ["no EDNS", `${MESH}client gets NOERROR, no EDNS\n`, 12, /"no EDNS" does not hold/],
    ["DO", `${MESH}client gets NOERROR, DO\n`, 12, /"DO" does not hold/],
    ["an extended error", `${MESH}client gets NOERROR, EDE 3\n`, 12, /"EDE 3" does not hold/],
    ["a size", `${MESH}client gets NOERROR, at most 20 octets\n`, 12, /"at most 20 octets"/],
    ["a least size", `${MESH}client gets NOERROR, at least 200 octets\n`, 12, /"at least 200 oc/],
    ["the transport", `${MESH}client gets NOERROR, by TCP\n`, 12, /"by TCP" does not hold/],
    ["a count of records", `${MESH}client gets NOERROR, 2 records\n`, 12, /"2 records" does not/],
    ["whose answer", `${MESH}client gets NOERROR, for b A\n`, 12, /it answers "reviews.ns1 A"/],
    ["how many answers", `${MESH}client gets NOERROR, some records, 2 times\n`, 12, /2 of 2/],
    [
      "a record",
      `${MESH}client gets NOERROR\n  reviews.ns1 30 A 10.0.0.6\n`,
      12,
      /not those of the/,
    ],
    ["a TTL", `${MESH}client gets NOERROR\n  reviews.ns1 29 A 10.0.0.5\n`, 12, /not those of the/],
    ["a missing record", `${MESH}client gets NOERROR\n`, 12, /its answers are not those/],
    [
      "an authority record",
      `${MESH}client gets NOERROR, some records\n  authority a 5 SOA minimum 5\n`,
      12,
      /its authorities are not those/,
    ],
    [
      "an additional record",
      `${MESH}client gets NOERROR, some records\n  additional a 5 A 192.0.2.1\n`,
      12,
      /its additionals are not those/,
    ],
    ["an answer that is not to come", `${MESH}client gets nothing\n`, 12, /client got an answer/],
    ["an answer untold", MESH, 11, /client got an answer\n {2}NOERROR, AA, RD, RA, EDNS 1232/],
    ["a question", `${ASKED.replaceAll("is asked www", "is asked ftp")}`, 12, /it is not "ftp/],
    ["whom", ASKED.replaceAll(".53", ".54"), 12, /server 192\.0\.2\.54 was not asked within 100/],
    ["a transport", `${ASKED.trim()}, by TCP\n`, 12, /"by TCP" does not hold/],
    ["a question's EDNS", `${ASKED.trim()}, no EDNS\n`, 12, /"no EDNS" does not hold/],
    ["a question's size", `${ASKED.trim()}, EDNS 512\n`, 12, /"EDNS 512" does not hold/],
    ["a question's DO", `${ASKED.trim()}, DO\n`, 12, /"DO" does not hold/],
    ["a question's CD", `${ASKED.trim()}, CD\n`, 12, /"CD" does not hold/],
    ["how many questions", `${ASKED.trim()}, 2 times\n`, 12, /\(question 2 of 2\)/],
    [
      "nothing sent",
      "client asks www.example.org A\nnothing is sent\n",
      12,
      /server 192\.0\.2\.53/,
    ],
    [
      "nothing sent to one",
      "client asks www.example.org A\nserver 192.0.2.53 is asked nothing\n",
      12,
      /was asked www\.example\.org A, by UDP/,
    ],
    [
      "a question untold",
      "client asks www.example.org A\nclient gets NOERROR, some records\n",
      12,
      /server 192\.0\.2\.53 was asked www\.example\.org A/,
    ],
    [
      "a connection closed",
      "client connects\nclient's connection is closed\n",
      12,
      /connection is still open after 100 ms/,
    ],
    [
      "a connection open",
      "client connects\n20 s pass\nclient's connection is open\n",
      13,
      /client's connection is closed/,
    ],
    ["a problem", "the agent reports NO_UPSTREAM\n", 11, /the agent reports no problem/],
    [
      "no problem",
      "config dns.upstreams [x]\nthe agent reloads\nthe agent reports no problem\n",
      13,
      /the agent reports CONFIG_REFUSED/,
    ],
    [
      "a count of questions",
      `${ASKED}client gets NOERROR, some records\nat most 0 questions were sent\n`,
      14,
      /1 questions were sent/,
    ],
    [
      "a question that matters again",
      "other questions do not matter\nother questions matter again\n" + ASKED.split("\n")[0] +
      "\nnothing is sent\n",
      14,
      /server 192\.0\.2\.53 was asked www/,
    ],
    ["a probe", "server 192.0.2.53 is probed\n", 11, /was not probed within 100 ms/],
    [
      "a socket left open",
      "server 192.0.2.53 is silent\nserver 192.0.2.54 is silent\nclient asks www.example.org A\n" +
      "no socket towards a server stays open\n",
      14,
      /[1-9] UDP sockets towards servers stay open/,
    ],
  ];
  for (const [title, text, line, message] of cases) {
    await t.step(title, async () => {
      await assert.rejects(play(text), (error) => {
        assert.ok(error instanceof StoryFailure, String(error));
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(`x.story:${line}: A title\n`), error.message);
        return true;
      });
    });
  }
});

Deno.test("playStory() shows the story, the line, and what happened", async () => {
  const failure = await play(`${ASKED}client gets NXDOMAIN\n`).then(
    () => assert.fail("it passed"),
    (error: StoryFailure) => error.message,
  );
  assert.match(failure, /^ {3}3 mesh$/m);
  assert.match(failure, /^> 13 client gets NXDOMAIN$/m);
  assert.match(
    failure,
    /^ {2}NOERROR, RD, RA, no EDNS, .*\n {4}www\.example\.org 60 A 198\.51\.100\.7$/m,
  );
  assert.match(
    failure,
    /^What happened:\n(.*\n)*0\.000 s {2}client asks www\.example\.org A by UDP$/m,
  );
  assert.match(failure, /^0\.000 s {2}server 192\.0\.2\.53 is asked www\.example\.org A, by UDP/m);
});
