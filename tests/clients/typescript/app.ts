// What a frontend does with generated types. A line below `@ts-expect-error` must not compile: without the scalars it would.
import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
import { type CallEventKind, isKnownCallEvent } from '../call_events';
import { createClient } from './genql';
import { graphql } from './gql';

const History = graphql(`query History($where: nchat_calls_bool_exp!) { nchat_calls(where: $where) { id status duration started_at metadata } }`);
const Events = graphql(`subscription Events($callId: uuid!, $after: bigint) { callEvents(callId: $callId, after: $after) { seq kind payload } }`);
const Rings = graphql(`mutation Ring($input: InitiateCallInput!) { initiateCall(input: $input) { callId call { type } } }`);

export function ofCodegen({ nchat_calls: [call] }: ResultOf<typeof History>): boolean | undefined {
  // @ts-expect-error misspelt
  call?.status === 'conected';
  // @ts-expect-error who reads JSON says what it is
  call?.metadata.title;
  return call?.status === 'connected' && call.started_at?.startsWith('2026');
}

export const given: VariablesOf<typeof History> = { where: { status: { _in: ['ringing', 'connected'] }, end_reason: { _is_null: true } } };
// @ts-expect-error no such type
export const input: VariablesOf<typeof Rings>['input'] = { type: 'vidio', channelId: '' };

export function ofEvents({ callEvents: event }: ResultOf<typeof Events>): string {
  const next: number = event.seq + 1;
  if (!isKnownCallEvent(event)) return `${next}`;
  if (event.kind === 'call_state_changed') return event.payload.to === 'ended' ? (event.payload.reason ?? 'ended') : event.payload.from;
  if (event.kind === 'call_mute_changed') return event.payload.muted ? event.payload.trackType : event.payload.participantId;
  // @ts-expect-error of another kind
  return event.payload.recordingId;
}

// @ts-expect-error no such kind
export const kind: CallEventKind = 'call_started';

export async function ofGenql(): Promise<void> {
  const client = createClient({ url: '' });
  const { nchat_calls: [call] } = await client.query({ nchat_calls: { __args: { where: { status: { _eq: 'ringing' } } }, status: true } });
  // @ts-expect-error misspelt
  call?.status === 'conected';
  // @ts-expect-error misspelt
  await client.query({ nchat_calls: { __args: { where: { status: { _eq: 'conected' } } }, status: true } });
}
