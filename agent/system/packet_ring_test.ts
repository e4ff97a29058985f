import assert from "node:assert/strict";
import { recordOctets } from "../../test/support/ring_worker.ts";
import {
  allocatePacketRing,
  type PacketRingLimits,
  PacketRingReader,
  PacketRingWriter,
  type PacketSource,
} from "./packet_ring.ts";

/** Message `i` has `lengths[i]` octets, all `i`, and comes from `i`. */
function messages(lengths: number[]): PacketSource {
  return {
    octets: (i) => lengths[i],
    copySource(i, into, at) {
      into.fill(i, at, at + 28);
      return 28;
    },
    copyMessage: (i, into, at) => void into.fill(i, at, at + lengths[i]),
  };
}

function make(limits: PacketRingLimits, source: PacketSource) {
  const memory = allocatePacketRing(limits);
  const posts: number[] = [];
  const writer = new PacketRingWriter(memory, () => posts.push(0));
  const reader = new PacketRingReader(memory);
  return {
    posts,
    push: (i: number) => writer.push(source, i, 1000 + i),
    ringBell: () => writer.ringBell(),
    /** Numbers of the records that come. */
    drain(most?: number, meanwhile?: () => void): { came: number[]; isMore: boolean } {
      const came: number[] = [];
      const isMore = reader.drain((message, from, tag) => {
        assert.equal(tag & 0xff, 1000 + from[0] & 0xff);
        assert.deepEqual(from, new Uint8Array(28).fill(from[0]));
        assert.deepEqual(message, new Uint8Array(source.octets(from[0])).fill(from[0]));
        came.push(from[0]);
        meanwhile?.();
        meanwhile = undefined;
      }, most);
      return { came, isMore };
    },
  };
}

Deno.test("PacketRing hands records over whole, in order, over the end of its memory", () => {
  const lengths = Array.from({ length: 100 }, (_, i) => i * 997 % 4097);
  const ring = make({ octets: 16_384, records: 10 }, messages(lengths));
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 100; i += 2) {
      assert.ok(ring.push(i));
      assert.ok(ring.push(i + 1));
      assert.deepEqual(ring.drain(), { came: [i, i + 1], isMore: false });
    }
  }
});

Deno.test("PacketRingWriter.push() is refused when the octets or the records are used up, and works again after", () => {
  const cases = [
    // A record of 4096 octets takes 4132: three of them fit, and a small one.
    { octets: 16_384, records: 100, length: 4096, fit: 3 },
    { octets: 16_384, records: 5, length: 12, fit: 5 },
    { octets: 16_384, records: 1000, length: 28, fit: 16_384 / 64 },
    { octets: 16_384, records: 1000, length: 0, fit: Math.floor(16_384 / 36) },
  ];
  for (const { octets, records, length, fit } of cases) {
    const ring = make({ octets, records }, messages([length]));
    for (let round = 0; round < 20; round++) {
      let pushed = 0;
      while (ring.push(0)) pushed++;
      // Where the last record ended, some room before the end of the memory may be of no use.
      assert.ok(pushed === fit || round > 0 && pushed >= fit - 1 && length !== 28, `${pushed}`);
      assert.equal(ring.drain().came.length, pushed);
    }
  }
  assert.throws(() => allocatePacketRing({ octets: 20_000, records: 1 }));
});

Deno.test("PacketRingWriter.ringBell() posts only where the reader would not look", () => {
  const ring = make({ octets: 16_384, records: 100 }, messages(Array(20).fill(40)));
  ring.ringBell();
  assert.equal(ring.posts.length, 0, "nothing was pushed");
  ring.push(0);
  assert.equal(ring.posts.length, 0);
  ring.ringBell();
  ring.push(1);
  ring.ringBell();
  assert.equal(ring.posts.length, 1, "a message is under way");
  const first = ring.drain(undefined, () => {
    ring.push(2);
    ring.ringBell();
  });
  assert.deepEqual(first, { came: [0, 1, 2], isMore: false });
  assert.equal(ring.posts.length, 1, "the reader was looking");
  ring.push(3);
  ring.ringBell();
  assert.equal(ring.posts.length, 2, "the reader had gone");
});

Deno.test("PacketRingReader.drain() takes no more than it is told, and keeps the bell rung for its caller", () => {
  const ring = make({ octets: 16_384, records: 100 }, messages(Array(20).fill(40)));
  for (let i = 0; i < 5; i++) ring.push(i);
  ring.ringBell();
  assert.deepEqual(ring.drain(3), { came: [0, 1, 2], isMore: true });
  ring.push(5);
  ring.ringBell();
  assert.equal(ring.posts.length, 1);
  assert.deepEqual(ring.drain(3), { came: [3, 4, 5], isMore: false });
  ring.push(6);
  ring.ringBell();
  assert.equal(ring.posts.length, 2);
});

Deno.test("PacketRingReader.drainInTurns() lets the event loop go on between a few records", async () => {
  const memory = allocatePacketRing({ octets: 16_384, records: 200 });
  const writer = new PacketRingWriter(memory, () => {});
  for (let i = 0; i < 100; i++) writer.push(messages([40]), 0, i);
  const tags: number[] = [];
  new PacketRingReader(memory).drainInTurns((_message, _source, tag) => tags.push(tag));
  const first = tags.length;
  assert.ok(first > 0 && first < 100, `${first} at once`);
  while (tags.length < 100) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(tags, Array.from({ length: 100 }, (_, i) => i));
});

Deno.test("PacketRingReader.drainWritten() takes what was there, and leaves what comes meanwhile", () => {
  const memory = allocatePacketRing({ octets: 16_384, records: 100 });
  const writer = new PacketRingWriter(memory, () => {});
  const reader = new PacketRingReader(memory);
  const source = messages([1000, 1000, 1000, 1000]);
  const take = (meanwhile = () => {}) => {
    const tags: number[] = [];
    reader.drainWritten((_message, _from, tag) => void (tags.push(tag), meanwhile()));
    return tags;
  };
  // Over the end of the memory too.
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 3; i++) writer.push(source, i, i);
    assert.deepEqual(take(() => writer.push(source, 3, 3)), [0, 1, 2]);
    assert.deepEqual(take(), [3, 3, 3]);
    assert.deepEqual(take(), []);
  }
});

Deno.test("PacketRing loses no record that comes just before or after its reader says that it goes", () => {
  const { store } = Atomics;
  for (const when of ["before", "after"]) {
    const ring = make({ octets: 16_384, records: 100 }, messages(Array(20).fill(40)));
    ring.push(0);
    ring.ringBell();
    let isFirst = true;
    const pushAnother = () => {
      isFirst = false;
      ring.push(1);
      ring.ringBell();
    };
    // The one store of a reader that took all is the one that says so.
    const { came } = ring.drain(undefined, () => {
      Atomics.store = ((array: Int32Array, index: number, value: number) => {
        const isGoing = isFirst && index === 4 && value === 0;
        if (isGoing && when === "before") pushAnother();
        store(array, index, value);
        if (isGoing && when === "after") pushAnother();
        return value;
      }) as typeof store;
    });
    Atomics.store = store;
    assert.equal(isFirst, false);
    if (when === "before") assert.deepEqual(came, [0, 1]);
    // Here the writer saw that the reader had gone: its message is what brings it back.
    else assert.deepEqual([came, ring.posts.length, ring.drain().came], [[0], 2, [1]]);
  }
});

Deno.test("PacketRing loses nothing between two threads, whoever falls asleep when", async () => {
  const records = 200_000;
  const ring = allocatePacketRing({ octets: 16_384, records: 90 });
  const reader = new PacketRingReader(ring);
  const worker = new Worker(new URL("../../test/support/ring_worker.ts", import.meta.url), {
    type: "module",
  });
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) => {
      try {
        while (
          reader.drain((message, source, tag) => {
            const n = new DataView(message.buffer).getUint32(0, true);
            assert.equal(n, next++);
            assert.equal(tag, n);
            assert.equal(message.length, recordOctets(n));
            assert.equal(message.at(-1), message.length > 4 ? n & 0xff : n >>> 24);
            assert.equal(source[15], n & 0xff);
          }, 50)
        );
        // The worker's last message: after it nothing more can come.
        if (typeof data === "string") resolve();
      } catch (error) {
        reject(error);
      }
    };
    worker.postMessage({ ring, records });
  });
  worker.terminate();
  assert.equal(next, records);
});
