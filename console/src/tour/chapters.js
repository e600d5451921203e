// The order in which the examples are worth seeing, and who should ask.
import { example } from './examples.js';

export const CHAPTERS = [
  {
    title: 'A call, from ring to end',
    about: 'Step by step, in this window; or with bob in one of his own, where what rings for him goes on.',
    steps: [
      step('IncomingCalls', 'bob', 'what rings for him'),
      step('RingBobAndCarol', 'alice', 'rings two people'),
      step('CallEvents', 'alice', 'follows the call, event by event'),
      step('AcceptCall', 'bob', 'takes the call'),
      step('LeaveCall', 'bob', 'hangs up; it still rings for carol'),
      step('EndCall', 'alice', 'ends it for everyone'),
      step('CallEvents', 'alice', 'once more: the whole story'),
    ],
  },
  {
    title: 'What there is',
    about: 'Whoever asks sees their own.',
    steps: [
      step('MyChannels', null, 'channels and who is in them'),
      step('CallHistory', null, 'a page of calls, filtered'),
      step('CallInfo', null, 'one call'),
      step('CallAttendance', null, 'who was in it, for how long'),
      step('LiveCalls', null, 'a list that stays current'),
      step('Recordings', null, 'and a player for them'),
      step('CallToRecord', 'alice', 'every action on a recording'),
    ],
  },
];

function step(name, as, about) {
  return { example: example(name), as, about };
}
