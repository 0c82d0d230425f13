import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { artefact, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { openConnection } from '../../test/builders/action-call.js';
import { startAnsweringStage, type AnsweringStage } from '../../test/builders/answering-stage.js';
import { oracle } from './connection.js';
import type { Artefact } from './testing/chainlink-contracts.js';

let stage: AnsweringStage;

beforeAll(async () => {
  stage = await startAnsweringStage({ withOldOracle: true });
});

afterAll(() => stage.close());

const open = (settings: Readonly<Record<string, unknown>> = {}) =>
  openConnection(oracle, { contract: stage.contracts.operator.address, ...settings }, undefined, stage.use);

describe('an oracle connection', () => {
  const tried = async (settings: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const client = await open(settings);
    return await Promise.resolve(oracle.test!(client, new AbortController().signal)).then(
      () => 'works',
      (error: unknown) => error,
    );
  };

  it('given an authorised signer, when it is tried, then it works, and the contract is known for what it is', async () => {
    expect(await tried({ signer: 'oracle-key' })).toBe('works');
    expect(await tried({ contract: stage.contracts.oldOracle!.address, signer: 'oracle-key' })).toBe('works');
    await expect((await open()).contract()).resolves.toMatchObject({ kind: 'operator' });
  });

  it('given a signer that is not authorised, when it is tried, then the remedy is named', async () => {
    const { operator, deploy, link } = stage.contracts;
    const other = await deploy(artefact('Operator') as Artefact, [link.address, devAccounts[0].address]);
    expect(await tried({ contract: other.address, signer: 'oracle-key' })).toMatchObject({
      code: 'connection.invalid',
      detail: expect.stringContaining(devAccounts[1].address),
      fix: expect.stringContaining('setAuthorizedSenders'),
    });
    expect(operator.address).not.toBe(other.address);
  });

  it('given a forwarder, when it is tried, then the signer must be authorised there, and it at the contract', async () => {
    const { deploy, send, link, operator } = stage.contracts;
    const owner = devAccounts[0].address;
    const zero = `0x${'0'.repeat(40)}`;
    const forwarder = await deploy(artefact('AuthorizedForwarder') as Artefact, [link.address, owner, zero, '0x']);
    const settings = { signer: 'oracle-key', forwarder: forwarder.address };

    expect(await tried(settings)).toMatchObject({ detail: expect.stringContaining(devAccounts[1].address) });
    await send(forwarder, 'setAuthorizedSenders', [[devAccounts[1].address]]);
    expect(await tried(settings)).toMatchObject({ detail: expect.stringContaining(forwarder.address) });
    await send(operator, 'setAuthorizedSenders', [[devAccounts[1].address, forwarder.address]]);
    expect(await tried(settings)).toBe('works');
  });

  it('given another contract, when it is asked what it is, then it is refused unless the kind is given', async () => {
    const contract = stage.contracts.link.address;
    await expect((await open({ contract })).contract()).rejects.toMatchObject({ code: 'connection.invalid' });
    await expect((await open({ contract, kind: 'operator' })).contract()).resolves.toMatchObject({ kind: 'operator' });
  });
});
