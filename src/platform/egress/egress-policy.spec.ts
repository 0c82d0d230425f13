import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { parseEgress, type RefusalReason, type ResolveAll } from './egress-policy.js';
import { createHttpClient } from './http-client.js';

const forbidden: readonly (readonly [string, RefusalReason])[] = [
  ['http://127.0.0.1/', 'address'],
  ['http://127.1/', 'address'],
  ['http://127.255.255.254/', 'address'],
  ['http://2130706433/', 'address'],
  ['http://0x7f000001/', 'address'],
  ['http://0x7f.1/', 'address'],
  ['http://0177.0.0.1/', 'address'],
  ['http://017700000001/', 'address'],
  ['http://127.0.0.1./', 'address'],
  ['http://①②⑦.0.0.1/', 'address'],
  ['http://127。0。0。1/', 'address'],
  ['http://%31%32%37.0.0.1/', 'address'],
  ['http://0.0.0.0/', 'address'],
  ['http://0/', 'address'],
  ['http://0.1.2.3/', 'address'],
  ['http://10.0.0.1/', 'address'],
  ['http://10.255.255.255/', 'address'],
  ['http://172.16.0.1/', 'address'],
  ['http://172.31.255.255/', 'address'],
  ['http://192.168.0.1/', 'address'],
  ['http://169.254.169.254/latest/meta-data/', 'address'],
  ['http://2852039166/', 'address'],
  ['http://0xa9fea9fe/', 'address'],
  ['http://100.64.0.1/', 'address'],
  ['http://100.100.100.200/', 'address'],
  ['http://100.127.255.255/', 'address'],
  ['http://168.63.129.16/', 'address'],
  ['http://192.0.0.192/', 'address'],
  ['http://192.0.2.1/', 'address'],
  ['http://198.18.0.1/', 'address'],
  ['http://198.51.100.1/', 'address'],
  ['http://203.0.113.1/', 'address'],
  ['http://192.88.99.1/', 'address'],
  ['http://224.0.0.1/', 'address'],
  ['http://239.255.255.250/', 'address'],
  ['http://240.0.0.1/', 'address'],
  ['http://255.255.255.255/', 'address'],
  ['http://[::1]/', 'address'],
  ['http://[0:0:0:0:0:0:0:1]/', 'address'],
  ['http://[::]/', 'address'],
  ['http://[::ffff:127.0.0.1]/', 'address'],
  ['http://[::ffff:7f00:1]/', 'address'],
  ['http://[::ffff:8.8.8.8]/', 'address'],
  ['http://[::127.0.0.1]/', 'address'],
  ['http://[::ffff:0:127.0.0.1]/', 'address'],
  ['http://[64:ff9b::127.0.0.1]/', 'address'],
  ['http://[64:ff9b::8.8.8.8]/', 'address'],
  ['http://[64:ff9b:1::1]/', 'address'],
  ['http://[2002:7f00:1::]/', 'address'],
  ['http://[2001::1]/', 'address'],
  ['http://[2001:db8::1]/', 'address'],
  ['http://[fe80::1]/', 'address'],
  ['http://[fec0::1]/', 'address'],
  ['http://[fc00::1]/', 'address'],
  ['http://[fd00:ec2::254]/', 'address'],
  ['http://[ff02::1]/', 'address'],
  ['http://[100::1]/', 'address'],
  ['http://[4000::1]/', 'address'],
  ['http://localhost/', 'name'],
  ['http://LOCALHOST./', 'name'],
  ['http://a.localhost/', 'name'],
  ['http://metadata.google.internal/', 'name'],
  ['http://printer.local/', 'name'],
  ['http://api.default.svc/', 'name'],
  ['http://kubernetes.default.svc./', 'name'],
  ['https://example.com:22/', 'port'],
  ['https://example.com:6379/', 'port'],
  ['http://8.8.8.8:5432/', 'port'],
  ['http://[2606:4700::1111]:25/', 'port'],
  ['https://user@example.com/', 'credentials'],
  ['https://user:pass@example.com/', 'credentials'],
  ['https://:pass@example.com/', 'credentials'],
  ['file:///etc/passwd', 'scheme'],
  ['ftp://example.com/', 'scheme'],
  ['gopher://example.com/', 'scheme'],
  ['data:text/plain,x', 'scheme'],
  ['javascript:alert(1)', 'scheme'],
  ['unix:///var/run/docker.sock', 'scheme'],
];

const open = [
  'https://example.com/',
  'http://example.com:8080/',
  'https://example.com:8443/',
  'https://8.8.8.8/',
  'https://[2606:4700:4700::1111]/',
  'https://internal.example.com/',
];

/** A name service whose answers the test writes. */
function scripted(answers: Readonly<Record<string, readonly string[]>>): ResolveAll {
  return (hostname, _options, done) => {
    const addresses = answers[hostname];
    if (!addresses) return done(Object.assign(new Error(`unknown ${hostname}`), { code: 'ENOTFOUND' }), []);
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
}

describe('the egress policy', () => {
  it.each(forbidden)('given no list, when %s is checked, then it is refused because of its %s', (url, reason) => {
    const reasons: RefusalReason[] = [];
    const policy = parseEgress([], { onRefused: (why) => reasons.push(why) });

    expect(() => policy.checkUrl(new URL(url))).toThrow(expect.objectContaining({ code: 'target.forbidden' }));
    expect(reasons).toEqual([reason]);
  });

  it.each(open)('given no list, when %s is checked, then it may be called', (url) => {
    expect(() => parseEgress([]).checkUrl(new URL(url))).not.toThrow();
  });

  it.each(['10.0.0.5', '8.8.8.8 127.0.0.1', '2606:4700::1 ::1', '169.254.169.254', '::ffff:10.0.0.1'])(
    'given a name that resolves to %s, when it is asserted, then it is refused',
    async (addresses) => {
      const policy = parseEgress([], { lookup: scripted({ 'rebind.example': addresses.split(' ') }) });

      await expect(policy.assertAllowed('https://rebind.example/x')).rejects.toMatchObject({
        code: 'target.forbidden',
      });
    },
  );

  it('given a public name, when it is asserted, then it may be called; an unknown one cannot be reached', async () => {
    const policy = parseEgress([], { lookup: scripted({ 'ok.example': ['8.8.8.8', '2606:4700::1'] }) });

    await expect(policy.assertAllowed('https://ok.example/')).resolves.toBeUndefined();
    await expect(policy.assertAllowed('https://gone.example/')).rejects.toMatchObject({ code: 'connection.refused' });
    await expect(policy.assertAllowed('not a url')).rejects.toMatchObject({ code: 'target.forbidden' });
  });

  it.each([
    ['127.0.0.1:3100-3199', 'http://127.0.0.1:3150/', true],
    ['127.0.0.1:3100-3199', 'http://127.0.0.1:3200/', false],
    ['127.0.0.1:3100-3199', 'http://127.0.0.2:3150/', false],
    ['127.0.0.1:3100-3199', 'http://[::ffff:127.0.0.1]:3150/', false],
    ['10.0.0.0/8:443', 'https://10.1.2.3/', true],
    ['10.0.0.0/8:443', 'http://10.1.2.3/', false],
    ['10.0.0.0/8', 'http://10.1.2.3:9000/', true],
    ['[fd00::]/8:443', 'https://[fd12::1]/', true],
    ['[::1]:8545', 'http://[::1]:8545/', true],
    ['localhost:8545', 'http://localhost:8545/', true],
    ['localhost:8545', 'http://localhost:8546/', false],
    ['localhost:8545', 'http://127.0.0.1:8545/', false],
    ['db.corp.internal', 'https://db.corp.internal:9443/', true],
    ['example.com:9443', 'https://example.com:9443/', true],
    ['example.com:9443', 'https://evil-example.com:9443/', false],
  ])('given the entry %s, when %s is asserted, then the answer is %s', async (entry, url, isAllowed) => {
    const lookup = scripted({
      localhost: ['127.0.0.1', '::1'],
      'db.corp.internal': ['10.9.9.9'],
      'example.com': ['8.8.8.8'],
      'evil-example.com': ['8.8.8.8'],
    });
    const asserted = parseEgress([entry], { lookup }).assertAllowed(url);

    await (isAllowed
      ? expect(asserted).resolves.toBeUndefined()
      : expect(asserted).rejects.toMatchObject({ code: 'target.forbidden' }));
  });

  it('given a listed name, when it resolves to where clouds keep credentials, then it is refused', async () => {
    const policy = parseEgress(['api.corp.internal'], {
      lookup: scripted({ 'api.corp.internal': ['169.254.169.254'] }),
    });

    await expect(policy.assertAllowed('http://api.corp.internal/')).rejects.toMatchObject({ code: 'target.forbidden' });
  });

  it.each([
    '',
    '10.0.0.0/33',
    '127.0.0.1:0',
    '127.0.0.1:70000',
    '127.0.0.1:20-10',
    '999.1.1.1',
    'a b',
    'example.com/8',
    '[zz]',
  ])('given the entry "%s", when the list is read, then it is a fault', (entry) => {
    expect(() => parseEgress(['localhost', entry])).toThrow(
      expect.objectContaining({ code: 'config.invalid', faults: [expect.objectContaining({ pointer: '#/1' })] }),
    );
  });
});

describe('the way out', () => {
  let canary: Server;
  let port: number;
  let touched: number;

  beforeEach(async () => {
    touched = 0;
    canary = createServer((_request, response) => response.end('canary'));
    canary.on('connection', () => (touched += 1));
    await new Promise<void>((up) => canary.listen(0, '127.0.0.1', up));
    port = (canary.address() as AddressInfo).port;
  });

  afterEach(async () => {
    canary.closeAllConnections();
    await new Promise((down) => canary.close(down));
  });

  it('given a server on loopback, when it is aimed at in every way, then it is never touched', async () => {
    // An open entry for the port, so that only the address decides.
    const lookup = scripted({ 'rebind.example': ['127.0.0.1'], 'mixed.example': ['8.8.8.8', '127.0.0.1'] });
    const client = createHttpClient({ egress: parseEgress([`192.0.2.1:${port}`], { lookup }) });
    const hosts = [
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      'localhost',
      'rebind.example',
      'mixed.example',
    ];

    for (const host of hosts) {
      await expect(client.request({ url: `http://${host}:${port}/` })).rejects.toMatchObject({
        code: 'target.forbidden',
      });
    }
    expect(touched).toBe(0);
  });

  it('given a name that changes its address after the check, when it is called, then the address at connection time decides', async () => {
    let asked = 0;
    const lookup: ResolveAll = (_hostname, _options, done) => {
      asked += 1;
      done(null, [{ address: asked === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 }]);
    };
    const client = createHttpClient({ egress: parseEgress([`8.8.8.8:${port}`], { lookup }) });

    await client.assertAllowed(`http://turn.example:${port}/`);
    await expect(client.request({ url: `http://turn.example:${port}/` })).rejects.toMatchObject({
      code: 'target.forbidden',
    });
    expect(touched).toBe(0);
  });

  it('given a library that uses the agents, when it aims inwards or at a socket file, then it is refused without a throw', async () => {
    const { get } = await import('node:http');
    const { agents } = createHttpClient({ egress: parseEgress([]) });
    const failures = [
      { host: '127.0.0.1', port },
      { host: '127.0.0.1', port, socketPath: '/tmp/none.sock' },
    ].map((target) => new Promise((seen) => get({ ...target, agent: agents.http }).on('error', seen)));

    expect(await Promise.all(failures)).toEqual([
      expect.objectContaining({ code: 'target.forbidden' }),
      expect.objectContaining({ code: 'target.forbidden' }),
    ]);
    expect(touched).toBe(0);
  });

  it('given a redirect inwards, when it is answered, then it is not followed', async () => {
    const outside = createServer((_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end(),
    );
    await new Promise<void>((up) => outside.listen(0, '127.0.0.1', up));
    const outsidePort = (outside.address() as AddressInfo).port;
    const client = createHttpClient({ egress: parseEgress([`127.0.0.1:${outsidePort}`]) });

    await expect(client.request({ url: `http://127.0.0.1:${outsidePort}/` })).rejects.toMatchObject({
      code: 'http.rejected',
    });
    expect(touched).toBe(0);
    outside.closeAllConnections();
    await new Promise((down) => outside.close(down));
  });
});
