// node run.mjs '{"host", "port", "secret", "user", "lives", "call"}': each client follows a call; commands come on stdin, what was told goes to stdout.
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { droppingProxy } from './dropping_proxy.mjs';

const world = JSON.parse(process.argv[2]);
const network = await droppingProxy(world.host, world.port);
world.url = `http://127.0.0.1:${network.port}/v1/graphql`;
world.ws = `ws://127.0.0.1:${network.port}/v1/graphql`;

const followed = {};
for (const file of readdirSync(new URL('./clients/', import.meta.url))) {
  const { follow } = await import(`./clients/${file}`);
  followed[file.replace('.mjs', '')] = follow(world);
}

for await (const command of createInterface({ input: process.stdin })) {
  if (command === 'drop') network.drop();
  const told = Object.entries(followed).map(([name, { seqs, statuses, failures, closes, tokens }]) => [name, { seqs, statuses, failures, closes, tokens }]);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(told))}\n`);
}
process.exit(0);
