// Prints the addresses that Node gives for a name, one a line, or what it says instead. The first argument
// says by which way: `lookup` is the C library's getaddrinfo, `resolve` is c-ares.
const { lookup, resolve4, resolve6 } = require("node:dns").promises;
const { argv } = require("node:process");

const [way, name] = argv.slice(2);

async function main() {
  if (way === "lookup") {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  }
  const results = await Promise.allSettled([resolve4(name), resolve6(name)]);
  if (results.every(({ status }) => status === "rejected")) throw results[0].reason;
  return results.flatMap(({ value = [] }) => value);
}

main().then(
  (addresses) => console.log(addresses.join("\n")),
  ({ code }) => console.log(`error: ${code}`),
);
