// A peer: npm's graphql-ws over ws, as its documentation sets it up. `node graphql_ws.mjs PACKAGES PORT`; each line of stdin is an event.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [packages, port] = process.argv.slice(2);
const require = createRequire(`${packages}/package.json`);
const { buildSchema } = require("graphql");
const { useServer } = require("graphql-ws/use/ws");
const { WebSocketServer } = require("ws");

const schema = buildSchema(`
  scalar JSON
  type Actor { id: ID!, displayName: String, avatarUrl: String }
  type CallEvent { seq: Int!, kind: String!, callId: ID!, actor: Actor, participantId: ID, userId: ID, payload: JSON, createdAt: String! }
  type Query { ready: Boolean }
  type Subscription { callEvents(callId: ID!): CallEvent! }
`);

const queues = new Set();

// One queue for each subscriber, as graphql-yoga's and graphql-subscriptions' PubSub have it.
function events() {
  const waiting = [];
  let wake = null;
  const queue = {
    push: (event) => {
      waiting.push(event);
      if (wake) wake();
    },
  };
  queues.add(queue);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      while (!waiting.length) await new Promise((resolve) => (wake = resolve));
      wake = null;
      return { done: false, value: { callEvents: waiting.shift() } };
    },
    async return() {
      queues.delete(queue);
      return { done: true, value: undefined };
    },
  };
}

const server = new WebSocketServer({ port: Number(port), host: "127.0.0.1", path: "/graphql" });
useServer({ schema, roots: { subscription: { callEvents: () => events() } } }, server);

createInterface({ input: process.stdin }).on("line", (line) => {
  const event = JSON.parse(line).data.callEvents;
  for (const queue of queues) queue.push(event);
});
