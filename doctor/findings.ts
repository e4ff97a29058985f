/**
 * What is right and wrong on a lookup's way, in its order. Pure.
 *
 * @module
 */
import {
  checkAgent,
  checkConfig,
  checkLoop,
  checkMeshNames,
  checkSelfQuery,
  checkSockets,
  checkUnits,
  checkUpgrade,
  checkUpstreams,
} from "./agent_checks.ts";
import type { DoctorFacts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { checkContainers, checkControlPlane, checkRoutes } from "./mesh_checks.ts";
import {
  checkCapture,
  checkNftables,
  checkNsswitch,
  checkResolvConf,
  checkResolved,
} from "./way_checks.ts";

/** Every check, from the program that asks to the server that knows. */
export function findings(facts: DoctorFacts): Finding[] {
  return [
    checkNsswitch(facts),
    checkResolvConf(facts),
    checkResolved(facts),
    checkNftables(facts),
    checkCapture(facts),
    checkConfig(facts),
    checkUnits(facts),
    checkUpgrade(facts),
    checkSockets(facts),
    ...checkAgent(facts),
    checkSelfQuery(facts),
    checkMeshNames(facts),
    ...checkUpstreams(facts),
    checkLoop(facts),
    ...checkControlPlane(facts),
    checkRoutes(facts),
    ...checkContainers(facts),
  ];
}
