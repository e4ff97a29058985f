export default { name: "outrigger", rules: {} } satisfies Deno.lint.Plugin;
