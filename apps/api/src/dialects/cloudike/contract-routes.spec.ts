import 'reflect-metadata';

import { readFileSync } from 'node:fs';

import type { DiscoveryService } from '@nestjs/core';
import type { Request, Response } from 'express';
import { describe, expect, it } from 'vitest';

import { RequestEntries } from '../../http/request-entries.js';
import { CLOUDIKE_CONTROLLERS } from './cloudike.module.js';
import { CloudikeEntry } from './http/cloudike-entry.js';
import type { CloudikeRequest } from './http/route-metadata.js';

/** Section 15 of the contract: routes that clients need and the source does not name. */
const NEEDED_BY_CLIENTS = [
  'links/info/<hash>',
  'files/create_link_of_archive',
  'files/download_as_archive_stream/<hash>',
  'accounts/oauth_url',
  'accounts/authorize',
  'accounts/oauth_confirm',
  'accounts/login_by_phone',
  'accounts/login_by_key',
  'accounts/login_by_ldap',
  'accounts/generate_login_key',
  'accounts/create_by_phone',
  'accounts/add_email',
  'accounts/add_phone',
  'accounts/google_url',
  'accounts/google_confirm',
  'accounts/kt_get_account',
  'accounts/create_basic_auth',
  'accounts/get_basic_auth',
  'accounts/create_contacts_sync_auth',
  'accounts/get_contacts_sync_auth',
  'company/<company_id>/change',
  'company/admin/shares/collaborators',
  'company/admin/shares/remove',
  'company/admin/shares/unshare',
  'files/create_from_diff',
  'files/confirm_from_diff/<path>',
  'files/get_diff/<path>',
  'events_len',
  'get_log_file',
  'oauth/request_token',
  'oauth/access_token',
  'oauth/authorize',
];

const rows = readFileSync(new URL('../../../../../docs/contracts/cloudike-routes.tsv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [method: string, path: string, sourceLine: string]);

const discovery = { getControllers: () => CLOUDIKE_CONTROLLERS.map((metatype) => ({ metatype })) } as unknown as DiscoveryService;
const entry = new CloudikeEntry(discovery, new RequestEntries());

/** The template that serves a request, with its `<...>` unnamed; the status and code of the refusal otherwise. */
function served(method: string, path: string): string {
  const refusal: { status: number; body?: string } = { status: 200 };
  const request = { method, path, url: path, headers: {} } as unknown as Request;
  const response = {
    setHeader: () => undefined,
    getHeader: () => undefined,
    end: (body?: string) => (refusal.body = body ?? ''),
    set statusCode(status: number) {
      refusal.status = status;
    },
  } as unknown as Response;
  let entered = false;
  entry.handle(request, response, () => (entered = true));
  return entered ? unnamed((request as CloudikeRequest).cloudike.template) : `${refusal.status} ${refusal.body}`;
}

const unnamed = (template: string): string => template.replace(/<\w+>/g, '<>').replace(/\/$/, '');
const filled = (template: string): string => template.replace(/<path>/g, 'folder/file.txt').replace(/<\w+>/g, '7');

describe('the routes of the contract', () => {
  it('are listed', () => {
    expect(rows.length).toBeGreaterThanOrEqual(218);
    expect(rows.every(([method, path]) => /^(GET|POST)$/.test(method) && /^\/api\/[01]\//.test(path))).toBe(true);
  });

  it.each(rows)('%s %s is served (source line %s)', (method, path) => {
    expect(served(method, filled(path))).toBe(unnamed(path));
  });

  it.each(NEEDED_BY_CLIENTS)('%s is served for the clients that need it', (template) => {
    for (const method of ['GET', 'POST']) expect(served(method, `/api/1/${filled(template)}`)).toBe(`/api/1/${unnamed(template)}`);
  });

  it.each(rows.filter(([, path]) => path.startsWith('/api/1/company/')))('%s %s is served under accounts/ too', (method, path) => {
    const other = path.replace('/api/1/', '/api/1/accounts/');
    expect(served(method, filled(other))).toBe(unnamed(other));
  });
});
