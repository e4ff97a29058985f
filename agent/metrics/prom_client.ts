/**
 * The parts of prom-client that are used. Its main module reads all of it, for clusters of processes too:
 * 20 ms at each start, where an answer is waited for.
 *
 * @module
 */
import type * as promClient from "prom-client";
import counter from "prom-client/lib/counter.js";
import gauge from "prom-client/lib/gauge.js";
import histogram from "prom-client/lib/histogram.js";
import registry from "prom-client/lib/registry.js";

/** A number that grows. */
export const Counter = counter as typeof promClient.Counter;
/** A number. */
export const Gauge = gauge as typeof promClient.Gauge;
/** A distribution. */
export const Histogram = histogram as typeof promClient.Histogram;
/** All of them, as text. */
export const Registry = registry as typeof promClient.Registry;
