import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { AppConfig, ConfigError } from './app-config.js';
import { configurationMarkdown, envExample } from './documentation.js';

const minimal = { DATABASE_URL: 'postgresql://u:p@localhost/db', STOWAGE_SECRET_KEY: 'x'.repeat(32) };

describe('AppConfig', () => {
  it('fills defaults and chooses the embedded drivers when nothing else is named', () => {
    const config = new AppConfig(minimal);
    expect(config.http).toEqual({ host: '127.0.0.1', port: 8080, publicUrl: 'http://localhost:8080' });
    expect(config.storage.driver).toBe('filesystem');
    expect(config.redis).toBeUndefined();
    expect(config.accounts.confirmation).toBe('mail');
  });

  it.each([
    [{ STOWAGE_HTTP_PORT: '99999' }, /^STOWAGE_HTTP_PORT must be a whole number/],
    [{ STOWAGE_PUBLIC_URL: 'ftp://x' }, /^STOWAGE_PUBLIC_URL must be a URL/],
    [{ STOWAGE_ACCOUNT_CONFIRMATION: 'maybe' }, /^STOWAGE_ACCOUNT_CONFIRMATION must be one of mail, off/],
    [{ STOWAGE_SECRET_KEY: 'short' }, /^STOWAGE_SECRET_KEY must have at least 32 characters$/],
    [{ DATABASE_URL: '' }, /^DATABASE_URL is required/],
    [{ S3_ENDPOINT: 'http://localhost:1' }, /^S3_BUCKET is required when S3_ENDPOINT is set/],
    [{ S3_BUCKET: 'b' }, /^S3_ACCESS_KEY_ID is required/],
    [{ REDIS_URL: 'localhost:6379' }, /^REDIS_URL must be a URL/],
    [{ STOWAGE_OAUTH_CONSUMERS: 'printer:short' }, /^STOWAGE_OAUTH_CONSUMERS must be key:secret, separated by commas/],
    [{ STOWAGE_OAUTH_CONSUMERS: `a:${'x'.repeat(16)},a:${'y'.repeat(16)}` }, /^STOWAGE_OAUTH_CONSUMERS must not name a key twice$/],
  ])('refuses %j with one line', (change, message) => {
    const build = () => new AppConfig({ ...minimal, ...change });
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(message);
  });

  it('reads consumers of OAuth 1.0', () => {
    const { signIn } = new AppConfig({ ...minimal, STOWAGE_OAUTH_CONSUMERS: 'printer:0123456789abcdef, web.shop:with:colon+and/more' });
    expect([...signIn.oauthConsumers]).toEqual([
      ['printer', '0123456789abcdef'],
      ['web.shop', 'with:colon+and/more'],
    ]);
    expect(new AppConfig(minimal).signIn.oauthConsumers.size).toBe(0);
  });

  it('never repeats a secret in its message', () => {
    expect(() => new AppConfig({ ...minimal, SMTP_URL: 'http://user:hunter2@mail' })).toThrow(
      /^SMTP_URL must be a URL that starts with smtp:\/\/ or smtps:\/\/$/,
    );
  });
});

describe('documentation of the configuration', () => {
  it('is up to date (npm run docs:config writes it)', () => {
    expect(readFileSync('docs/operations/configuration.md', 'utf8')).toBe(configurationMarkdown());
    expect(readFileSync('.env.example', 'utf8')).toBe(envExample());
  });
});
