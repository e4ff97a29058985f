/**
 * The flags of `outrigger run`, each with the key of the configuration that it overrides: the command
 * line, and the README's table, are made from this list.
 *
 * @module
 */

/** A flag of `run` that overrides a key of the configuration. */
export interface RunFlag {
  /** As commander writes it. */
  flags: string;
  /** What it does. */
  description: string;
  /** The key that it overrides. */
  path: string[];
  /** Whether it may be repeated and makes a list. */
  list: boolean;
}

/** The flags of `run`, beside `--config`. */
export const RUN_FLAGS: readonly RunFlag[] = [
  {
    flags: "--from <dir>",
    description: "join with the files that istioctl x workload entry configure wrote here",
    path: ["from"],
    list: false,
  },
  {
    flags: "--dns-listen <ip:port>",
    description: "serve DNS here (repeatable)",
    path: ["dns", "listen"],
    list: true,
  },
  {
    flags: "--health-listen <ip:port>",
    description: "serve health here",
    path: ["health", "listen"],
    list: false,
  },
  {
    flags: "--upstream <nameserver>",
    description: "for all other names: ip, ip:port or tls://ip#name (repeatable)",
    path: ["dns", "upstreams"],
    list: true,
  },
  {
    flags: "--names <file>",
    description: "serve names of this YAML or JSON file (repeatable)",
    path: ["names", "files"],
    list: true,
  },
  {
    flags: "--control-plane <host:port>",
    description: "take names and certificates from here (repeatable)",
    path: ["controlPlane", "addresses"],
    list: true,
  },
  {
    flags: "--server-name <name>",
    description: "name in the control plane's certificate",
    path: ["controlPlane", "serverName"],
    list: false,
  },
  {
    flags: "--root-cert <file>",
    description: "root certificates that the control plane is trusted by",
    path: ["controlPlane", "rootCert"],
    list: false,
  },
  {
    flags: "--token <file>",
    description: "file with the token to join with",
    path: ["controlPlane", "token"],
    list: false,
  },
  {
    flags: "--state-dir <dir>",
    description: "folder for key, certificate and the last name table",
    path: ["stateDir"],
    list: false,
  },
  {
    flags: "--search <domain>",
    description: "search domain of this machine's stubs (repeatable)",
    path: ["dns", "searchDomains"],
    list: true,
  },
  {
    flags: "--auto-allocated <how>",
    description: "hosts with only automatic VIPs: auto, serve or forward",
    path: ["dns", "autoAllocated"],
    list: false,
  },
  {
    flags: "--log-level <level>",
    description: "debug, info, warn or error",
    path: ["log", "level"],
    list: false,
  },
  {
    flags: "--log-format <format>",
    description: "text or json",
    path: ["log", "format"],
    list: false,
  },
];
