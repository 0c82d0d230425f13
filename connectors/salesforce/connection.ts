import { defineConnection, secret, z } from '#sdk';
import { SalesforceClient } from './salesforce.client.js';

const settings = z
  .object({
    loginUrl: z.url({ protocol: /^https?$/ }).meta({
      title: 'My Domain address',
      description:
        'Of the org, from Setup, My Domain. A login by JWT also takes login.salesforce.com and test.salesforce.com.',
      examples: ['https://acme.my.salesforce.com', 'https://acme--uat.sandbox.my.salesforce.com'],
    }),
    auth: z.enum(['clientCredentials', 'jwt']).default('clientCredentials').meta({
      title: 'Login',
      description: 'By consumer secret as the run-as user of the app, or by an assertion signed with a private key.',
    }),
    clientId: z.string().min(1).meta({ title: 'Consumer key' }),
    clientSecret: secret().optional().meta({ title: 'Consumer secret', description: 'For clientCredentials.' }),
    privateKey: secret()
      .optional()
      .meta({ title: 'Private key', description: 'For jwt: PEM; its certificate is uploaded to the app.' }),
    username: z
      .string()
      .optional()
      .meta({ title: 'User name', description: 'For jwt: the user that Patchbay acts as.' }),
    audience: z.string().optional().meta({ title: 'Audience', description: 'For jwt: default is the login address.' }),
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
  })
  .superRefine(({ auth, loginUrl, clientSecret, privateKey, username }, faults) => {
    const missing = (name: string, message: string) => faults.addIssue({ code: 'custom', path: [name], message });
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
  open: (given, { http, log }) => new SalesforceClient(given, { http, log }),
  close: (client) => client.close(),
  test: (client, signal) => client.test(signal),
});
