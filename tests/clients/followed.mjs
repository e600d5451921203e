// What one client was told of a call, and the tokens that it asked for.
import { createHmac } from 'node:crypto';

export const EVENTS = 'subscription ($call: uuid!, $after: bigint) { callEvents(callId: $call, after: $after) { seq } }';
export const STATUS = 'subscription ($call: uuid!) { nchat_calls_by_pk(id: $call) { status } }';

export class Followed {
  seqs = [];
  statuses = [];
  failures = [];
  closes = [];
  tokens = 0;

  constructor(world) {
    this.world = world;
  }

  get last() {
    return this.seqs.at(-1) ?? 0;
  }

  /** The cursor is read again whenever the client sends this again. */
  get variables() {
    const followed = this;
    return { call: this.world.call, get after() { return followed.last; } };
  }

  event = ({ data, errors }) => {
    if (data) this.seqs.push(data.callEvents.seq);
    else this.failures.push(...errors.map((error) => error.extensions.code));
  };

  status = ({ data, errors }) => {
    if (data) this.statuses.push(data.nchat_calls_by_pk.status);
    else this.failures.push(...errors.map((error) => error.extensions.code));
  };

  failed = (error) => {
    this.failures.push(String(error?.message ?? JSON.stringify(error)));
  };

  /** A fresh token each time, as an app would get it from its own backend. */
  headers = () => {
    this.tokens += 1;
    return { Authorization: `Bearer ${token(this.world)}` };
  };
}

function token({ secret, user, lives }) {
  const claims = { 'x-hasura-allowed-roles': ['user'], 'x-hasura-default-role': 'user', 'x-hasura-user-id': user };
  const body = { exp: Math.floor(Date.now() / 1000) + lives, 'https://hasura.io/jwt/claims': claims };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
