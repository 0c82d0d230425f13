import { afterEach, describe, expect, it } from '@jest/globals';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { ApiBudget } from './api-budget.js';

const signal = new AbortController().signal;

describe('the budget of calls of an org', () => {
  let salesforce: SalesforceOrg | undefined;
  afterEach(() => salesforce?.stop());

  it('given what Salesforce tells, when background work has used its share, then it waits and other work goes on', () => {
    let now = Date.parse('2026-11-25T10:00:00Z');
    const budget = new ApiBudget({ background: 0.2, reserve: 0.1 }, () => now);
    budget.heard('api-usage=10/20; per-app-api-usage=17/250(appName=x)');
    for (let call = 0; call < 4; call += 1) budget.admit('background');

    expect(() => budget.admit('background')).toThrow(expect.objectContaining({ code: 'salesforce.limit' }));
    expect(() => budget.admit('work')).not.toThrow();
    expect(budget.state).toEqual({ used: 10, limit: 20, usedInBackground: 4 });

    now += 25 * 3_600_000;
    expect(() => budget.admit('background')).not.toThrow();
  });

  it('given an org that others have nearly used up, when background work asks, then the rest is left for people', () => {
    const budget = new ApiBudget({ background: 0.5, reserve: 0.1 });
    budget.heard('api-usage=91/100');

    expect(() => budget.admit('background')).toThrow(expect.objectContaining({ code: 'salesforce.limit' }));
    expect(() => budget.admit('work')).not.toThrow();
  });

  it('given an org, when calls are made, then the budget knows its usage', async () => {
    salesforce = await startSalesforce({ dailyRequests: 500 });
    const client = salesforce.client();
    await client.test(signal);

    expect(client.loginState).toBe('open');
    expect(client.budget).toEqual({ used: salesforce.org.state().apiUsage.used, limit: 500, usedInBackground: 0 });
  });

  it('given a quota that is used up, when a minute is over, then one call looks whether there is some again', async () => {
    let now = Date.now();
    salesforce = await startSalesforce();
    const client = salesforce.client({ now: () => now });
    salesforce.org.addFault({ kind: 'apiUsage', used: 15_000 });
    await expect(client.test(signal)).rejects.toMatchObject({ code: 'salesforce.limit' });
    salesforce.org.addFault({ kind: 'apiUsage', used: 0 });

    now += 59_000;
    await expect(client.test(signal)).rejects.toMatchObject({ code: 'salesforce.limit' });
    now += 2_000;
    await expect(client.test(signal)).resolves.toBeUndefined();
    await expect(client.test(signal)).resolves.toBeUndefined();
  });
});
