import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { encodeCall, getFragment, signatureOf, type Abi, type AbiFragment } from '#evm';
import { devAccounts } from '../../src/evm/testing/dev-chain.js';
import type { Case, ContractStory } from '../builders/contract-story.js';
import { GatewayApp, type Answer } from '../builders/gateway-app.js';
import { governor } from '../builders/governor-story.js';
import { openZeppelinProject } from '../builders/openzeppelin-project.js';
import { items, nft, token, votes } from '../builders/openzeppelin-stories.js';
import {
  OtherClients,
  isRead,
  type AskedFunction,
  type EmittedEvent,
  type Outcome,
} from '../builders/other-clients.js';
import { shapesStory } from '../builders/shapes-story.js';

/** The votes come before the governor that counts them, and what counts blocks comes last. */
const stories: readonly ContractStory[] = [token, nft, items, shapesStory, votes, governor];
const names = stories.map(({ name }) => name);
const treasury = devAccounts[0].address;

type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Told {
  readonly story: ContractStory;
  readonly registered: Answer;
  readonly deployed: Answer;
  readonly address: string;
  readonly abi: Abi;
  readonly document: Readonly<Record<string, unknown>>;
  readonly sent: readonly Sent[];
}

interface Sent {
  readonly answer: Answer;
  readonly fragment: AbiFragment;
  readonly args: readonly unknown[];
}

let app: GatewayApp;
let others: OtherClients;
const told = new Map<string, Told>();
const places: Record<string, string> = {};

beforeAll(async () => {
  app = await GatewayApp.start();
  others = new OtherClients(app.chain.url);
  const project = openZeppelinProject();
  // One after another, because those of one file come out of one compilation.
  for (const story of stories) {
    const { name, contract, source } = story;
    const registered = await app.upload({ 'project.zip': project }, { name, contract, source, evm: 'cancun' });
    if (registered.status !== 201) throw new Error(`${contract}: ${JSON.stringify(registered.body)}`);
    told.set(name, await tellStory(story, registered));
  }
}, 180_000);

afterAll(async () => {
  others?.close();
  await app?.close();
});

describe('contracts of OpenZeppelin, and one of every shape, from a zip', () => {
  it.each(names)('given %s, when it is uploaded and deployed, then the chain has exactly its code', async (name) => {
    const { registered, deployed, abi } = told.get(name)!;
    const verified = await app.ask('POST', `/api/contracts/${name}/verify`);

    expect(registered).toMatchObject({
      status: 201,
      body: { name, deployable: true, compiler: { evmVersion: 'cancun' } },
    });
    expect(registered.body['functions']).toEqual(functionsOf(abi).map(signatureOf));
    expect(deployed).toMatchObject({ status: 200, body: { status: 'confirmed' } });
    expect(verified.body).toMatchObject({ result: 'exact' });
  });

  it.each(names)(
    'given %s, when it is described, then a validator accepts it and every function is there',
    async (name) => {
      const { document, abi } = told.get(name)!;

      expect(await new Validator().validate(structuredClone(document))).toMatchObject({ valid: true });
      const paths = Object.entries(document['paths'] as Paths).filter(([path]) => !path.includes('/events/'));
      const described = functionsOf(abi).map((fragment) => pathOf(name, fragment));
      expect(paths.map(([path]) => path).sort()).toEqual(described.sort());
      for (const fragment of functionsOf(abi)) {
        const operations = Object.keys((document['paths'] as Paths)[pathOf(name, fragment)] ?? {});
        expect(operations).toEqual(isRead(fragment) ? ['get', 'post'] : ['post']);
      }
    },
  );

  it.each(names)(
    'given %s, when it is sent to, then the chain got what viem and ethers would send, and all read its events alike',
    async (name) => {
      const { sent, address, abi } = told.get(name)!;
      for (const { answer, fragment, args } of sent) {
        expect(answer).toMatchObject({ status: 200, body: { status: 'confirmed' } });
        const hash = String(answer.body['hash']);
        const data = await others.sentData(hash);
        expect(others.callData({ abi, fragment, args })).toEqual({ viem: data, ethers: data });
        const events = answer.body['events'] as EmittedEvent[];
        expect(await others.eventsOf(hash, address, abi)).toEqual({ viem: events, ethers: events });
        expect(events.length).toBeGreaterThan(0);
      }
    },
  );

  it.each(names)('given %s, when its past events are read, then viem finds the same', async (name) => {
    const { address, abi, document } = told.get(name)!;
    const events = abi.filter(({ type, anonymous }) => type === 'event' && anonymous !== true);
    const paths = Object.keys(document['paths'] as Paths).filter((path) => path.includes('/events/'));
    expect(paths).toHaveLength(events.length);
    for (const event of events) {
      const path = paths.find((one) => [event.name, signatureOf(event)].includes(eventIn(one)));
      const { body } = await app.ask('GET', path!);
      const past = (body['events'] as { args: unknown }[]).map(({ args }) => args);
      expect(past).toEqual(await others.pastEvents(address, event));
    }
  });

  it.each(names)(
    'given %s, when every function is asked, then the hub, viem and ethers say the same',
    async (name) => {
      const { story, abi, address } = told.get(name)!;
      const cases = await story.cases(places);
      const functions = functionsOf(abi);
      expect(Object.keys(cases).sort()).toEqual(functions.map(signatureOf).sort());

      const asked = functions.flatMap((fragment) =>
        (cases[signatureOf(fragment)] ?? []).map((one) => ({ address, abi, fragment, ...callOf(fragment, one) })),
      );
      const answers = await Promise.all(asked.map(async (call) => ({ call, said: await askAll(name, call) })));

      for (const { call, said } of answers) {
        const [expected] = said;
        const what = `${signatureOf(call.fragment)} of ${name} with ${JSON.stringify(asJson(call.args))}`;
        expect({ what, said }).toEqual({ what, said: said.map(() => expected) });
        const data = encodeCall(call.fragment, asJson(call.args));
        expect(others.callData(call)).toEqual({ viem: data, ethers: data });
      }
      expect(new Set(answers.map(({ call }) => call.fragment)).size).toBe(functions.length);
      const working = answers.flatMap(({ call, said: [first] }) => (first && 'result' in first ? [call.fragment] : []));
      const refusing = functions.filter((fragment) => !working.includes(fragment));
      expect(refusing.map(signatureOf).sort()).toEqual([...story.alwaysRefuses].sort());
    },
    60_000,
  );
  it('given proposals, when their states are read, then the governor has gone through all that was told', async () => {
    const cases = await governor.cases(places);
    const states = await Promise.all(
      cases['state(uint256)']!.map((one) => app.ask('POST', '/api/contracts/governor/state', { args: asJson(one) })),
    );

    // Executed, succeeded, active, pending, cancelled; and one that nobody has made.
    expect(states.map(({ body }) => body['result'])).toEqual(['7', '4', '1', '0', '2', undefined]);
    expect(states.at(-1)?.body).toMatchObject({
      code: 'evm.reverted',
      detail: expect.stringContaining('GovernorNonexistentProposal(proposalId: "7")') as unknown,
    });
  });
});

async function tellStory(story: ContractStory, registered: Answer): Promise<Told> {
  const { name } = story;
  const deployed = await app.ask('POST', `/api/interfaces/${name}/deploy`, {
    args: asJson(story.deployedWith(places)),
    from: 'treasury',
    name,
    wait: 'confirmed',
  });
  if (deployed.status !== 200) throw new Error(`${story.contract}: ${JSON.stringify(deployed.body)}`);
  const { address } = deployed.body['contract'] as { address: string };
  places[name] = address;
  const [abi, document] = await Promise.all([
    app.ask('GET', `/api/interfaces/${name}/abi`),
    app.ask('GET', `/api/contracts/${name}/openapi.json`),
  ]);
  const known = { story, registered, deployed, address, abi: abi.body as unknown as Abi, document: document.body };
  const sent: Sent[] = [];
  told.set(name, { ...known, sent });
  await story.tell({
    at: places,
    send: async (signature, args, value) => {
      const fragment = getFragment(known.abi, 'function', signature);
      const body = { args: asJson(args), from: 'treasury', wait: 'confirmed', ...(value && { value: String(value) }) };
      const answer = await app.ask('POST', pathOf(name, fragment), body);
      if (answer.status !== 200) throw new Error(`${name}: ${signature}: ${JSON.stringify(answer.body)}`);
      sent.push({ answer, fragment, args });
    },
    give: async (value) => {
      await app.chain.send({ from: devAccounts[1].address, to: address, value: `0x${value.toString(16)}` });
    },
    mine: (blocks) => app.chain.mine(blocks),
  });
  return { ...known, sent };
}

/** A read by query and by body, in order and by name; a sending one simulated; and the others. */
async function askAll(name: string, call: AskedFunction): Promise<Outcome[]> {
  const { fragment, args, value } = call;
  const path = pathOf(name, fragment);
  const inOrder = asJson(args) as unknown[];
  const byName = Object.fromEntries(inputNames(fragment).map((input, index) => [input, inOrder[index]]));
  const how = isRead(fragment) ? {} : { from: 'treasury', simulate: true, ...(value && { value: String(value) }) };
  return await Promise.all([
    others.viemSays(call),
    others.ethersSays(call),
    app.ask('POST', path, { ...how, args: inOrder }).then(outcomeOf),
    app.ask('POST', path, { ...how, args: byName }).then(outcomeOf),
    ...(isRead(fragment) ? [app.ask('GET', `${path}${queryOf(fragment, inOrder)}`).then(outcomeOf)] : []),
  ]);
}

const refused = 'The contract reverted the call: ';

function outcomeOf({ status, body }: Answer): Outcome {
  if (status === 200) return { result: body['result'] };
  const detail = String(body['detail']);
  if (body['code'] !== 'evm.reverted' || !detail.startsWith(refused)) throw new Error(JSON.stringify(body));
  return { revert: detail.slice(refused.length) };
}

function callOf(fragment: AbiFragment, one: Case): Pick<AskedFunction, 'args' | 'from' | 'value'> {
  const call = 'args' in one ? one : { args: one };
  return isRead(fragment) ? call : { ...call, from: treasury };
}

/** As the description of the contract has it: by name, or by signature where there are several, or a word is taken. */
function pathOf(contract: string, fragment: AbiFragment): string {
  const paths = told.get(contract)!.document['paths'] as Paths;
  const base = `/api/contracts/${contract}/`;
  const bySignature = base + encodeURIComponent(signatureOf(fragment));
  return bySignature in paths ? bySignature : `${base}${fragment.name ?? ''}`;
}

function eventIn(path: string): string {
  return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
}

function queryOf(fragment: AbiFragment, values: readonly unknown[]): string {
  const query = new URLSearchParams();
  for (const [index, input] of inputNames(fragment).entries()) {
    const value = values[index];
    query.set(input, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  return `?${query.toString()}`;
}

function inputNames({ inputs = [] }: AbiFragment): string[] {
  return inputs.map(({ name }, index) => (name === undefined || name === '' ? `arg${index}` : name));
}

function functionsOf(abi: Abi): AbiFragment[] {
  return abi.filter(({ type }) => type === 'function');
}

/** Whole numbers as decimal text. */
function asJson(value: unknown): Record<string, unknown> | unknown[] {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part));
  return JSON.parse(text) as Record<string, unknown> | unknown[];
}
