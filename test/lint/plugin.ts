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
  const isProduct = /^(agent|control_plane|installer)\//.test(path);
  return isProduct && !path.endsWith("_test.ts") ? path : undefined;
}

/** Who may touch the outer world: its adapters and the entry point. */
function mayTouchTheWorld(path: string): boolean {
  return path.startsWith("agent/system/") || path === "agent/main.ts";
}

/** Globals that are the outer world. */
const WORLD_GLOBALS = new Set([
  "Deno",
  "fetch",
  "setTimeout",
  "setInterval",
  "clearTimeout",
  "clearInterval",
  "performance",
]);
/** Members of globals that are the outer world. */
const WORLD_MEMBERS = new Set([
  "Date.now",
  "Math.random",
  "crypto.getRandomValues",
  "crypto.randomUUID",
]);
/** Modules that are the outer world. */
const WORLD_MODULES =
  /^node:(fs|fs\/promises|dgram|child_process|tls|http|https|http2|os|process|timers|timers\/promises)$/;
/** What of node:net is pure. */
const PURE_NET = new Set(["isIP", "isIPv4", "isIPv6"]);

type Imported = { source: { value: string } };

const layers: Deno.lint.Rule = {
  create(context) {
    const path = productPath(context.filename);
    if (path === undefined) return {};
    const check = (node: Deno.lint.Node, specifier: unknown) => {
      if (typeof specifier !== "string" || !specifier.startsWith(".")) return;
      const target = join(dirname(path), specifier);
      if (target === "deno.json") return;
      const [own, other] = [unitOf(path), unitOf(target)];
      if (own === other && own !== undefined) return;
      if (own === undefined || other === undefined) {
        context.report({ node, message: `${target} is no part of the product` });
      } else if (RANKS[other] >= RANKS[own]) {
        context.report({
          node,
          message: `${own} has rank ${RANKS[own]} and may not import ${other} of rank ${
            RANKS[other]
          }`,
        });
      }
    };
    return {
      ImportDeclaration: (node) => check(node, (node as unknown as Imported).source.value),
      ExportNamedDeclaration: (node) =>
        check(node, (node as unknown as Partial<Imported>).source?.value),
      ExportAllDeclaration: (node) => check(node, (node as unknown as Imported).source.value),
      ImportExpression: (node) =>
        check(node, (node as unknown as { source: { value?: unknown } }).source.value),
    };
  },
};

const ports: Deno.lint.Rule = {
  create(context) {
    const path = productPath(context.filename);
    if (path === undefined || mayTouchTheWorld(path)) return {};
    const report = (node: Deno.lint.Node, what: string) =>
      context.report({ node, message: `${what} belongs to agent/system/: take a port instead` });
    return {
      Identifier(node) {
        if (!WORLD_GLOBALS.has(node.name)) return;
        const parent = node.parent as unknown as {
          type: string;
          property?: unknown;
          key?: unknown;
        };
        // A member or a key of that name is something else.
        const isName = parent.type === "MemberExpression" && parent.property === node ||
          parent.type.startsWith("TS") || parent.key === node;
        if (!isName) report(node, node.name);
      },
      MemberExpression(node) {
        const { object, property } = node as unknown as Record<string, { name?: string }>;
        const member = `${object.name}.${property.name}`;
        if (WORLD_MEMBERS.has(member)) report(node, member);
      },
      NewExpression(node) {
        const { callee } = node as unknown as { callee: { name?: string } };
        if (callee.name === "Date" && node.arguments.length === 0) report(node, "new Date()");
      },
      ImportDeclaration(node) {
        const source = (node as unknown as Imported).source.value;
        if (WORLD_MODULES.test(source)) report(node, source);
        if (source !== "node:net") return;
        const specifiers = node.specifiers as unknown as { imported?: { name: string } }[];
        if (specifiers.some(({ imported }) => !PURE_NET.has(imported?.name ?? ""))) {
          report(node, "node:net");
        }
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
