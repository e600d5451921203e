// PostGraphile 5 as its manual sets it up for production: one process, the rule in row security, who asks in a header.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";

const server = createServer();
server.keepAliveTimeout = 0;
const served = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: process.env.BENCH_DATABASE_URL, schemas: ["public"], poolConfig: { max: 10 } })],
  grafserv: { graphqlPath: "/v1/graphql", graphiql: false, websockets: false, watch: false },
  grafast: { explain: false, context: (request) => ({ pgSettings: { "jwt.user_id": request.node?.req.headers["x-user-id"] ?? "" } }) },
}).createServ(grafserv);
await served.addTo(server);
server.listen(Number(process.env.PORT), "127.0.0.1");
