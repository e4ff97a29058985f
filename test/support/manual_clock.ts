/**
 * A clock that tests move by hand, while sockets and files are real.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { SimulatedClock } from "./simulated_clock.ts";

/** A simulated clock that gives the kernel time between timers, and at the end. */
export class ManualClock extends SimulatedClock {
  /** See {@link SimulatedClock.advance}. */
  override async advance(ms: number): Promise<void> {
    await super.advance(ms);
    await settle();
  }

  protected override settle(): Promise<void> {
    return settle();
  }
}

/** Lets every promise that can settle now do so. A timer of 0 ms would take a whole one, 10 times here. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}
