import { defineConnection, secret, z } from '#sdk';
import { orgObjects } from './org-objects.js';
import { SalesforceClient } from './salesforce.client.js';
import { webAuthorisation } from './web-authorisation.js';

const settings = z
  .object({
    loginUrl: z.url({ protocol: /^https?$/ }).meta({
      title: 'My Domain address',
      description:
        'Of the org, from Setup, My Domain. A login by JWT also takes login.salesforce.com and test.salesforce.com.',
      examples: ['https://acme.my.salesforce.com', 'https://acme--uat.sandbox.my.salesforce.com'],
    }),
    auth: z.enum(['clientCredentials', 'jwt', 'web', 'password']).default('clientCredentials').meta({
      title: 'Login',
      description:
        'By consumer secret as the run-as user of the app, by an assertion signed with a private key, by the consent of a user in the browser, or, if it must be, by password.',
    }),
    clientId: z.string().min(1).meta({ title: 'Consumer key' }),
    clientSecret: secret().optional().meta({
      title: 'Consumer secret',
      description: 'For clientCredentials and password; for web where the app asks for it.',
    }),
    privateKey: secret()
      .optional()
      .meta({ title: 'Private key', description: 'For jwt: PEM; its certificate is uploaded to the app.' }),
    username: z
      .string()
      .optional()
      .meta({ title: 'User name', description: 'For jwt and password: the user that Patchbay acts as.' }),
    audience: z.string().optional().meta({ title: 'Audience', description: 'For jwt: default is the login address.' }),
    refreshToken: secret()
      .optional()
      .meta({ title: 'Refresh token', description: 'For web: patchbay connection authorize gets it and keeps it.' }),
    password: secret().optional().meta({ title: 'Password', description: 'For password.' }),
    securityToken: secret()
      .optional()
      .meta({ title: 'Security token', description: 'For password, where the org asks for it.' }),
    allowPassword: z.boolean().default(false).meta({
      title: 'Allow the password login',
      description: 'Salesforce blocks it in new orgs and is about to end it; it has to be asked for.',
    }),
    apiVersion: z
      .string()
      .regex(/^(5\d|6\d|7\d)\.0$/, 'must be an API version such as 62.0, at least 50.0')
      .default('62.0')
      .meta({ title: 'API version' }),
    clientName: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'must be letters, digits, dots and dashes')
      .default('Patchbay')
      .meta({ title: 'Client name', description: 'Tells the changes of this hub from those of others.' }),
    apiBudget: z
      .object({
        background: share().default(0.2).meta({ description: 'Of the calls of a day, for backfills and comparisons.' }),
        reserve: share().default(0.1).meta({ description: 'Of the calls of a day, where background work stops.' }),
      })
      .prefault({})
      .meta({ title: 'API budget' }),
    gatherMs: z.number().int().min(0).max(1_000).default(20).meta({
      title: 'Gather writes for',
      description: 'Milliseconds in which writes of many runs come together into one call.',
    }),
  })
  .superRefine(({ auth, loginUrl, clientSecret, privateKey, username, password, allowPassword }, faults) => {
    const missing = (name: string, message: string) => faults.addIssue({ code: 'custom', path: [name], message });
    if (auth === 'web') return;
    if (auth === 'password') {
      if (!allowPassword) missing('allowPassword', 'must be true when auth is password: jwt and web are safer');
      if (clientSecret === undefined) missing('clientSecret', 'is needed when auth is password');
      if (username === undefined || username === '') missing('username', 'is needed when auth is password');
      if (password === undefined) missing('password', 'is needed when auth is password');
      return;
    }
    if (auth === 'clientCredentials') {
      if (clientSecret === undefined) missing('clientSecret', 'is needed when auth is clientCredentials');
      if (/^https:\/\/(login|test)\.salesforce\.com(\/|$)/i.test(loginUrl)) {
        missing('loginUrl', "must be the org's My Domain address when auth is clientCredentials");
      }
      return;
    }
    if (privateKey === undefined) missing('privateKey', 'is needed when auth is jwt');
    else if (!privateKey.reveal().includes('PRIVATE KEY-----')) {
      missing('privateKey', 'must be a private key in PEM form, beginning with -----BEGIN PRIVATE KEY-----');
    }
    if (username === undefined || username === '') missing('username', 'is needed when auth is jwt');
  });

export const salesforceOrg = defineConnection({
  title: 'Salesforce org',
  summary: 'One org, entered through an External Client App.',
  settings,
  open: (given, { http, log, hub, keep }) => new SalesforceClient(given, { http, log, hub, ...(keep && { keep }) }),
  close: (client) => client.close(),
  test: (client, signal) => client.test(signal),
  status: (client) => ({ login: client.loginState, apiCalls: client.budget }),
  needsAuthorisation: (client) => client.loginState === 'needsAuthorisation',
  authorisation: webAuthorisation,
  objects: orgObjects,
});

function share() {
  return z.number().min(0).max(1);
}
