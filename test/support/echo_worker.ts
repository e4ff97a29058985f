/**
 * The least worker of a UDP socket, for tests of what workers are made of: it answers each message with
 * itself, hands those that begin with {@link HAND_OVER} to the main thread, and is stopped by its
 * eventfd. A real thread, since what is tested is memory that threads share and calls that block.
 *
 * @module
 */
import { PacketRingWriter } from "../../agent/system/packet_ring.ts";
import { BATCH, SLOT_OCTETS, UdpBatch } from "../../agent/system/udp_batch.ts";
import { UdpPoll } from "../../agent/system/udp_poll.ts";

/** First octet of a message that is handed over. */
export const HAND_OVER = 0xff;

/** What the worker is started with. */
export interface EchoWorkerOptions {
  /** The socket. */
  fd: number;
  /** The eventfd. */
  wakeFd: number;
  /** One word; not 0: the worker ends as soon as it is awake. */
  stop: SharedArrayBuffer;
  /** Memory of the ring. */
  ring: SharedArrayBuffer;
  /** Octets of garbage that are made for each batch. */
  garbageOctets: number;
}

/** What the worker posts at its end; before that, only `null` for the ring. */
export interface EchoWorkerReport {
  /** Messages that came. */
  received: number;
  /** Answers that the kernel did not take. */
  notSent: number;
  /** Most messages of one batch. */
  largestBatch: number;
  /** What ended it, unless it was stopped. */
  error?: string;
}

declare const self: {
  onmessage?: (event: { data: EchoWorkerOptions }) => void;
  postMessage(message: EchoWorkerReport | null): void;
  close(): void;
};

// The types of this file are also imported by tests, where no worker's message handler is wanted.
if ("WorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data }) => {
    const report: EchoWorkerReport = { received: 0, notSent: 0, largestBatch: 0 };
    try {
      echo(data, report);
    } catch (error) {
      report.error = (error as { code: string }).code ?? String(error);
    }
    self.postMessage(report);
    self.close();
  };
}

function echo(
  { fd, wakeFd, stop, ring, garbageOctets }: EchoWorkerOptions,
  report: EchoWorkerReport,
) {
  const batch = new UdpBatch(fd);
  const poll = new UdpPoll([fd], wakeFd);
  const writer = new PacketRingWriter(ring, () => self.postMessage(null));
  const stopped = new Int32Array(stop);
  let garbage: unknown[] = [];
  while (Atomics.load(stopped, 0) === 0) {
    poll.wait();
    if (!poll.isReady(0)) continue;
    const messages = batch.receive();
    report.received += messages;
    report.largestBatch = Math.max(report.largestBatch, messages);
    for (let i = 0; i < messages; i++) {
      if (batch.packets[i * SLOT_OCTETS] === HAND_OVER) writer.push(batch, i, 0);
      else batch.queueAnswer(i, batch.octets(i));
    }
    report.notSent += batch.flush();
    writer.ringBell();
    if (garbageOctets > 0) {
      garbage.push(new Uint8Array(garbageOctets), Array.from({ length: 100 }, () => ({})));
      if (garbage.length > 20 * BATCH) garbage = [];
    }
  }
}
