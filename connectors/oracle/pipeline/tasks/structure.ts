import { toMap } from '../exact-json.js';
import type { TaskType } from '../task-type.js';
import { mapOf, refusal, toText } from '../value.js';

export const lookup: TaskType = {
  attributes: ['key'],
  required: ['key'],
  mostInputs: 1,
  run({ params, task }) {
    const key = toText(params.get('key'), 'key');
    const input = params.input();
    if (input === undefined) throw refusal(`No task is drawn before ${task.id}`);
    const map = toMap(input, 'The input');
    if (!Object.hasOwn(map, key)) throw refusal(`The input has no ${key}`);
    return map[key]!;
  },
};

/** What is right counts, also when it is null. */
export const merge: TaskType = {
  attributes: ['left', 'right'],
  required: ['right'],
  mostInputs: 1,
  run({ params }) {
    const left = toMap(params.getJsonOrInput('left'), 'left');
    const right = toMap(params.findJson('right') ?? null, 'right');
    return mapOf([...Object.entries(left), ...Object.entries(right)]);
  },
};

/** The value as it is written: JSON, or a variable. */
export const memo: TaskType = {
  attributes: ['value'],
  mostInputs: 1,
  run: ({ params }) => params.getJsonOrInput('value'),
};

/** For trying out what a job does about errors. */
export const fail: TaskType = {
  attributes: ['msg'],
  run: ({ params }) => {
    throw refusal(params.text('msg') ?? 'The task is there to fail');
  },
};
