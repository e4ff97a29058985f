/**
 * The project's own lint rules: the rank table, the ports that keep the outer world in one folder, and
 * the opening comment of each file.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { RANKS, unitOf } from "./ranks.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Path of a linted file below the repository; undefined for files that the rules do not hold for. */
function productPath(filename: string): string | undefined {
  const path = relative(ROOT, filename.startsWith("file:") ? fileURLToPath(filename) : filename);
  const isProduct = /^(agent|control_plane|installer|systemd)\//.test(path);
  return isProduct && !path.endsWith("_test.ts") ? path : undefined;
}

/** Who may touch the outer world: its adapters and the entry point. */
function mayTouchTheWorld(path: string): boolean {
  return path.startsWith("agent/system/") || path === "agent/main.ts";
}

/** Globals that are the outer world, and those by which a rule could be walked around. */
const WORLD_GLOBALS = new Set([
  "Deno",
  "EventSource",
  "WebSocket",
  "Worker",
  "clearInterval",
  "clearTimeout",
  "fetch",
  "globalThis",
  "performance",
  "self",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);
/** Members of globals that are the outer world. */
const WORLD_MEMBERS = new Set([
  "AbortSignal.timeout",
  "Date.now",
  "Math.random",
  "crypto.getRandomValues",
  "crypto.randomUUID",
]);
/** Modules that are the outer world. */
const WORLD_MODULES =
  /^node:(fs|dgram|dns|child_process|cluster|worker_threads|tls|http|https|http2|os|process|timers)(\/|$)/;
/** Modules of which a part is pure: that part. */
const PURE_PARTS: Record<string, RegExp> = {
  "node:net": /^isIP(v4|v6)?$/,
  "node:crypto": /^(createHash|createHmac|timingSafeEqual)$/,
};
/** Syntax of TypeScript in which a name stands for a value; in all other a type is meant. */
const VALUE_SYNTAX = new Set([
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
]);

/** Calls `check` with each module that a file imports or exports from; undefined: not written out. */
function eachSource(
  check: (node: Deno.lint.Node, source: string | undefined) => void,
): Deno.lint.LintVisitor {
  const declared = (node: Deno.lint.Node) => {
    const { source } = node as unknown as { source?: { value: string } | null };
    if (source) check(node, source.value);
  };
  return {
    ImportDeclaration: declared,
    ExportNamedDeclaration: declared,
    ExportAllDeclaration: declared,
    ImportExpression(node) {
      const { value } = node.source as unknown as { value?: unknown };
      check(node, typeof value === "string" ? value : undefined);
    },
  };
}

const layers: Deno.lint.Rule = {
  create(context) {
    const path = productPath(context.filename);
    if (path === undefined) return {};
    return eachSource((node, specifier) => {
      const report = (message: string) => context.report({ node, message });
      if (specifier === undefined) return report("A module is imported by its name, written out");
      if (/^(\/|file:)/.test(specifier)) return report(`${specifier} is no relative path`);
      if (!specifier.startsWith(".")) return;
      const target = join(dirname(path), specifier);
      if (target === "deno.json") return;
      const [own, other] = [unitOf(path), unitOf(target)];
      if (own === other && own !== undefined) return;
      if (own === undefined || other === undefined) {
        report(`${target} is no part of the product`);
      } else if (RANKS[other] >= RANKS[own]) {
        report(`${own} has rank ${RANKS[own]} and may not import ${other} of rank ${RANKS[other]}`);
      }
    });
  },
};

const ports: Deno.lint.Rule = {
  create(context) {
    const path = productPath(context.filename);
    if (path === undefined || mayTouchTheWorld(path)) return {};
    const report = (node: Deno.lint.Node, what: string) =>
      context.report({ node, message: `${what} belongs to agent/system/: take a port instead` });
    return {
      ...eachSource((node, source = "") => {
        if (WORLD_MODULES.test(source)) return report(node, source);
        const pure = PURE_PARTS[source];
        if (pure === undefined) return;
        const { specifiers = [] } = node as unknown as {
          specifiers?: { imported?: { name: string } }[];
        };
        // What is not imported by name (all of it, or its default) could be any part.
        const isPure = node.type === "ImportDeclaration" &&
          specifiers.every(({ imported }) => pure.test(imported?.name ?? ""));
        if (!isPure) report(node, `${source}, other than ${pure.source},`);
      }),
      Identifier(node) {
        if (!WORLD_GLOBALS.has(node.name)) return;
        const parent = node.parent as unknown as {
          type: string;
          computed?: boolean;
          property?: unknown;
          key?: unknown;
        };
        // A member, a key or a type of that name is something else.
        const isName = !parent.computed && (parent.property === node || parent.key === node);
        const isType = parent.type.startsWith("TS") && !VALUE_SYNTAX.has(parent.type);
        const isImported = parent.type.startsWith("Import") && parent.type.endsWith("Specifier");
        if (!isName && !isType && !isImported) report(node, node.name);
      },
      MemberExpression(node) {
        const { object, property } = node as unknown as {
          object: { name?: string };
          property: { name?: string; value?: unknown };
        };
        const member = `${object.name}.${node.computed ? property.value : property.name}`;
        if (WORLD_MEMBERS.has(member)) report(node, member);
      },
      VariableDeclarator(node) {
        const { id, init } = node as unknown as {
          id: { type: string; properties?: { key?: { name?: string } }[] };
          init?: { name?: string } | null;
        };
        for (const { key } of id.properties ?? []) {
          const member = `${init?.name}.${key?.name}`;
          if (WORLD_MEMBERS.has(member)) report(node, member);
        }
      },
      CallExpression(node) {
        const { callee } = node as unknown as { callee: { name?: string } };
        if (callee.name === "Date") report(node, "Date()");
      },
      NewExpression(node) {
        const { callee } = node as unknown as { callee: { name?: string } };
        if (callee.name === "Date" && node.arguments.length === 0) report(node, "new Date()");
      },
    };
  },
};

const fileHeader: Deno.lint.Rule = {
  create(context) {
    if (productPath(context.filename) === undefined) return {};
    return {
      Program(node) {
        const text = context.sourceCode.text;
        if (/^\/\*\*[\s\S]*?@module\s*\*\//.test(text)) return;
        context.report({ node, message: "A file opens with what it owns: /** … @module */" });
      },
    };
  },
};

/** The plugin that deno.json names. */
const plugin: Deno.lint.Plugin = {
  name: "outrigger",
  rules: { layers, ports, "file-header": fileHeader },
};
export default plugin;
