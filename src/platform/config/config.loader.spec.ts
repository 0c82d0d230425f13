import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { configSettings, loadConfig } from './config.loader.js';

function thrownBy(act: () => unknown): PatchbayError {
  try {
    act();
  } catch (error) {
    if (error instanceof PatchbayError) return error;
  }
  throw new Error('Nothing was thrown');
}

describe('loading the configuration', () => {
  it('given an empty environment, when it is loaded, then every setting has its default', () => {
    const config = loadConfig({});

    expect(config.roles).toEqual(['api', 'listener', 'worker']);
    expect(config.http).toMatchObject({ port: 3000, host: '127.0.0.1', hookMaxBytes: 1_048_576 });
    expect(config.dataDir).toBe(join(process.cwd(), '.patchbay'));
    expect(config.sandbox.enabled).toBe(false);
    expect(config.store.url).toBeUndefined();
    expect(config.retention).toEqual({ runDays: 14, eventDays: 30 });
  });

  it('given several bad variables, when it is loaded, then one error names them all', () => {
    const error = thrownBy(() =>
      loadConfig({
        PATCHBAY_PORT: 'many',
        DATABASE_URL: 'mysql://x',
        PATCHBAY_ROLES: 'api,cook',
        PATCHBAY_MASTER_KEY: 'short',
      }),
    );

    expect(error.code).toBe('config.invalid');
    expect(error.faults.map((fault) => fault.pointer).sort()).toEqual([
      'DATABASE_URL',
      'PATCHBAY_MASTER_KEY',
      'PATCHBAY_PORT',
      'PATCHBAY_ROLES',
    ]);
    expect(error.detail).not.toContain('mysql');
  });

  it('given a secret in a file, when it is loaded, then it is read and prints as stars', () => {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-config-'));
    writeFileSync(join(folder, 'key'), 'pb_secret\n');

    const config = loadConfig({ PATCHBAY_ADMIN_KEY_FILE: join(folder, 'key') });

    expect(config.auth.adminKey?.reveal()).toBe('pb_secret');
    expect(JSON.stringify(config)).not.toContain('pb_secret');
    rmSync(folder, { recursive: true });
  });

  it('given a secret both ways or a missing file, when it is loaded, then the variables are named', () => {
    const error = thrownBy(() =>
      loadConfig({ REDIS_URL: 'redis://a', REDIS_URL_FILE: '/x', PATCHBAY_ADMIN_KEY_FILE: '/does/not/exist' }),
    );

    expect(error.faults.map((fault) => fault.pointer)).toEqual(['PATCHBAY_ADMIN_KEY_FILE', 'REDIS_URL_FILE']);
  });

  it('given production, when the sandbox is asked for, then it stays off', () => {
    expect(loadConfig({ PATCHBAY_SANDBOX: 'on' }).sandbox.enabled).toBe(true);
    expect(loadConfig({ PATCHBAY_SANDBOX: 'on', NODE_ENV: 'production' }).sandbox.enabled).toBe(false);
  });

  it('given lists, when they are loaded, then entries are trimmed and empty ones dropped', () => {
    const config = loadConfig({
      PATCHBAY_EGRESS_ALLOW: '127.0.0.1:3100-3199, 10.0.0.0/8:443,',
      PATCHBAY_ROLES: 'worker',
    });

    expect(config.egress.allow).toEqual(['127.0.0.1:3100-3199', '10.0.0.0/8:443']);
    expect(config.roles).toEqual(['worker']);
  });

  it('given the loaded configuration, when something tries to change it, then it cannot', () => {
    const config = loadConfig({}) as { http: { port: number } };

    expect(() => (config.http.port = 1)).toThrow(TypeError);
  });

  it('given the settings, when they are documented, then each has a variable, a description and its default', () => {
    expect(configSettings.every((setting) => setting.env !== '' && setting.description !== '')).toBe(true);
    expect(new Set(configSettings.map((setting) => setting.env)).size).toBe(configSettings.length);
    expect(configSettings.find((setting) => setting.env === 'PATCHBAY_ROLES')?.default).toBe('api,listener,worker');
    expect(configSettings.find((setting) => setting.env === 'PATCHBAY_DATA_DIR')?.default).toBe('.patchbay');
  });
});
