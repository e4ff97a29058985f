/**
 * Logging, as a port, over LogTape. One line an event on standard error: text for people, JSON lines
 * for machines. No secret may be passed as a field: tokens and keys are named by their path.
 *
 * @module
 */
import {
  configureSync,
  getAnsiColorFormatter,
  getLogger,
  getTextFormatter,
  jsonLinesFormatter,
  type LogRecord,
  resetSync,
} from "@logtape/logtape";

/** The levels of `log.level`, quietest last. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of {@link LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];
/** The formats of `log.format`. */
export const LOG_FORMATS = ["text", "json"] as const;
/** One of {@link LOG_FORMATS}. */
export type LogFormat = typeof LOG_FORMATS[number];

/** Named values that go with a message. */
export type LogFields = Record<string, unknown>;

/** Where a part reports what happened. */
export interface Logger {
  /** Detail for someone who debugs. */
  debug(message: string, fields?: LogFields): void;
  /** A change of state that an operator may want to see. */
  info(message: string, fields?: LogFields): void;
  /** Something is wrong, and is coped with. */
  warn(message: string, fields?: LogFields): void;
  /** Something is wrong, and is not coped with. */
  error(message: string, fields?: LogFields): void;
  /** A logger for one module, named in each of its lines. */
  child(module: string): Logger;
}

/** How {@link openLog} writes. */
export interface LogOptions {
  /** The least severe level that is written. */
  level: LogLevel;
  /** How a line looks. */
  format: LogFormat;
}

/** Opens the process's log on standard error. Calling it again replaces level and format (SIGHUP). */
export function openLog(options: LogOptions): Logger {
  const encoder = new TextEncoder();
  const format = options.format === "json" ? jsonLinesFormatter : textFormatter();
  resetSync();
  configureSync({
    sinks: {
      stderr: (record: LogRecord) => {
        Deno.stderr.writeSync(encoder.encode(format(record)));
      },
    },
    loggers: [
      {
        category: ["outrigger"],
        lowestLevel: options.level === "warn" ? "warning" : options.level,
        sinks: ["stderr"],
      },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
  return logger(["outrigger"]);
}

/** A logger that drops everything. */
export const silentLog: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

function logger(category: string[]): Logger {
  const target = getLogger(category);
  return {
    debug: (message, fields) => target.debug(literal(message), fields ?? {}),
    info: (message, fields) => target.info(literal(message), fields ?? {}),
    warn: (message, fields) => target.warn(literal(message), fields ?? {}),
    error: (message, fields) => target.error(literal(message), fields ?? {}),
    child: (module) => logger([...category, module]),
  };
}

/** LogTape fills `{name}` in messages; ours are plain sentences, and may quote braces. */
function literal(message: string): string {
  return message.replaceAll("{", "{{").replaceAll("}", "}}");
}

function textFormatter(): (record: LogRecord) => string {
  const colour = Deno.stderr.isTerminal() && !Deno.env.get("NO_COLOR");
  const line = (colour ? getAnsiColorFormatter : getTextFormatter)({
    timestamp: "rfc3339",
    category: (category) => category.slice(1).join(".") || "main",
  });
  return (record) => {
    const fields = Object.entries(record.properties)
      .map(([name, value]) => `${name}=${fieldText(value)}`)
      .join(" ");
    const text = line(record).trimEnd();
    return `${fields === "" ? text : `${text} ${fields}`}\n`;
  };
}

function fieldText(value: unknown): string {
  const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
  const text = isList
    ? value.join(",")
    : typeof value === "string"
    ? value
    : JSON.stringify(value) ?? "undefined";
  return /^[\w.:/@%+,-]+$/.test(text) ? text : JSON.stringify(text);
}
