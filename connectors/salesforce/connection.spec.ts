import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sandboxUser } from '../../sandbox/salesforce/index.js';
import { openConnection } from '../../test/builders/action-call.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { salesforceOrg } from './connection.js';

const signal = new AbortController().signal;

describe('the settings of a Salesforce org', () => {
  const loginUrl = 'https://acme.my.salesforce.com';

  it.each([
    [{ loginUrl, clientId: 'k' }, ['clientSecret']],
    [{ loginUrl: 'https://login.salesforce.com', clientId: 'k', clientSecret: 's' }, ['loginUrl']],
    [{ loginUrl, clientId: 'k', auth: 'jwt' }, ['privateKey', 'username']],
    [{ loginUrl, clientId: 'k', auth: 'jwt', privateKey: 'abc', username: 'u' }, ['privateKey']],
    [{ loginUrl, clientId: 'k', clientSecret: 's', apiVersion: '31.0' }, ['apiVersion']],
    [{ loginUrl: 'acme', clientId: 'k', clientSecret: 's' }, ['loginUrl']],
    [{ loginUrl, clientId: 'k', clientSecret: 's' }, []],
    [{ loginUrl, clientId: 'k', auth: 'web' }, []],
    [{ loginUrl, clientId: 'k', clientSecret: 's', auth: 'password', username: 'u', password: 'p' }, ['allowPassword']],
    [{ loginUrl, clientId: 'k', auth: 'password', allowPassword: true }, ['clientSecret', 'username', 'password']],
    [{ loginUrl, clientId: 'k', auth: 'web', apiBudget: { background: 2 } }, ['apiBudget.background']],
  ])('given %j, when they are checked, then the faults are at %j', (settings, places) => {
    const { error } = salesforceOrg.settings.safeParse(settings);

    expect(error?.issues.map(({ path }) => path.join('.')) ?? []).toEqual(places);
  });
});

describe('the login to a Salesforce org', () => {
  let salesforce: SalesforceOrg | undefined;
  let keys: { readonly privateKey: string; readonly publicKey: string };

  beforeAll(() => {
    keys = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
  });
  afterEach(async () => {
    await salesforce?.stop();
    salesforce = undefined;
  });

  const jwtSettings = (url: string) => ({
    loginUrl: url,
    auth: 'jwt',
    clientId: 'app',
    privateKey: keys.privateKey,
    username: sandboxUser,
  });

  async function anOrgWithCertificate() {
    salesforce = await startSalesforce({
      apps: [{ clientId: 'app', runAs: sandboxUser, certificate: keys.publicKey }],
    });
    return salesforce;
  }

  it('given a private key, on one line as well, when the connection is tested, then it is let in', async () => {
    const { url } = await anOrgWithCertificate();
    const oneLine = keys.privateKey.replaceAll('\n', '\\n');

    for (const privateKey of [keys.privateKey, oneLine]) {
      const client = await openConnection(salesforceOrg, { ...jwtSettings(url), privateKey });
      await expect(client.test(signal)).resolves.toBeUndefined();
    }
  });

  it.each([
    [{ audience: 'https://elsewhere.example' }, 'connection.unauthorised', 'audience'],
    [{ username: 'stranger@acme.example' }, 'connection.unauthorised', 'pre-authorise'],
    [{ clientId: 'nobody' }, 'connection.unauthorised', 'consumer key'],
    [{ privateKey: '-----BEGIN PRIVATE KEY-----\nnonsense' }, 'connection.invalid', 'PEM'],
  ])(
    'given %j, when the connection is tested, then the error is %s and its remedy names %s',
    async (change, code, remedy) => {
      const { url } = await anOrgWithCertificate();
      const client = await openConnection(salesforceOrg, { ...jwtSettings(url), ...change });

      await expect(client.test(signal)).rejects.toMatchObject({ code, fix: expect.stringContaining(remedy) });
    },
  );

  it('given a password that is allowed, when the connection is tested, then it is let in', async () => {
    const user = { username: 'ada@acme.example', password: 'secret', securityToken: 'TOKEN' };
    const app = { clientId: 'app', clientSecret: 'app-secret', allowsPasswordLogin: true };
    salesforce = await startSalesforce({ apps: [app], users: [user] });
    const client = await openConnection(salesforceOrg, {
      ...user,
      loginUrl: salesforce.url,
      clientId: 'app',
      clientSecret: 'app-secret',
      auth: 'password',
      allowPassword: true,
    });

    await expect(client.test(signal)).resolves.toBeUndefined();
  });

  it('given a wrong consumer secret, when calls are made, then Salesforce is asked once and the secret is not shown', async () => {
    salesforce = await startSalesforce();
    const client = await openConnection(salesforceOrg, { ...salesforce.settings, clientSecret: 'wrong-secret' });
    const call = () => client.query('SELECT Id FROM Contact', 1, signal);

    await expect(call()).rejects.toMatchObject({
      code: 'connection.unauthorised',
      detail: expect.not.stringContaining('wrong-secret'),
    });
    await expect(call()).rejects.toMatchObject({ code: 'connection.unauthorised' });

    expect(salesforce.org.state().calls).toHaveLength(1);
  });

  it.each([
    [{ kind: 'refuseLogin', description: 'login rate exceeded' }, 'salesforce.limit'],
    [{ kind: 'status', status: 503, on: 'token' }, 'salesforce.unavailable'],
    [{ kind: 'loseAnswer', on: 'token' }, 'connection.refused'],
  ] as const)('given %j, when the login fails for now, then the next call logs in', async (fault, code) => {
    salesforce = await startSalesforce();
    const client = salesforce.client();
    salesforce.org.addFault(fault);

    await expect(client.test(signal)).rejects.toMatchObject({ code });
    await expect(client.test(signal)).resolves.toBeUndefined();
  });
});
