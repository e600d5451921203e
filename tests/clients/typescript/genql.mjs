// genql as a library, in the folder where it is started.
import { readFileSync } from 'node:fs';
import { generate } from '@genql/cli';

const scalars = JSON.parse(readFileSync('scalars.json', 'utf8'));
const schema = readFileSync('user.graphql', 'utf8');
await generate({ schema, output: 'src/genql', scalarTypes: scalars });
