import { describe, expect, it } from 'vitest';

import { DomainError } from '#libs/kernel';

import { pathSegments, RouteTable, type TableRoute } from './route-table.js';

const route = (name: string, ...templates: string[]): TableRoute => ({ name, templates });

describe('RouteTable', () => {
  const table = new RouteTable();
  table.add(route('get', 'files/get/<path>'));
  table.add(route('restoreMany', 'trash/restore'));
  table.add(route('restoreOne', 'trash/restore/<name>'));
  table.add(route('fromShared', 'trash/restore/<name>/from_shared/<path>'));
  table.add(route('company', 'company/<company_id>', 'accounts/company/<company_id>'));
  table.add(route('users', 'company/<company_id>/users'));
  table.add(route('domain', 'company/domain/<domain>'));
  table.add(route('comment', 'workflow/comment/<path>'));
  table.add(route('edit', 'workflow/comment/edit'));

  it.each([
    ['files/get', 'get', {}, []],
    ['files/get/a/b.txt', 'get', {}, ['a', 'b.txt']],
    ['trash/restore', 'restoreMany', {}, []],
    ['trash/restore/x (1)', 'restoreOne', { name: 'x (1)' }, []],
    ['trash/restore/x/from_shared/a/b', 'fromShared', { name: 'x' }, ['a', 'b']],
    ['accounts/company/7', 'company', { company_id: '7' }, []],
    ['company/domain/example.org', 'domain', { domain: 'example.org' }, []],
    ['company/domain/users', 'domain', { domain: 'users' }, []],
    ['company/7/users', 'users', { company_id: '7' }, []],
    ['workflow/comment/edit', 'edit', {}, []],
    ['workflow/comment/edit/file', 'comment', {}, ['edit', 'file']],
  ])('finds %s', (path, name, segments, tail) => {
    const found = table.find(path.split('/'));
    expect(found && { name: found.route.name, segments: found.segments, tail: found.tail }).toEqual({ name, segments, tail });
  });

  it.each(['', 'files', 'trash/restore/a/b', 'company/7/other', 'nothing'])('finds nothing for "%s"', (path) => {
    expect(table.find(path.split('/').filter(Boolean))).toBeNull();
  });

  it('refuses a second claim on a path', () => {
    expect(() => table.add(route('again', 'trash/restore/<id>'))).toThrow('The routes restoreOne and again both claim trash/restore/<id>');
  });
});

describe('pathSegments', () => {
  it('decodes every segment and drops empty ones', () => {
    expect(pathSegments('//metadata/%C3%BC%20x//a%25b/')).toEqual(['metadata', 'ü x', 'a%b']);
  });

  it.each(['%E0%A4', '%', '%zz', 'a%00b'])('refuses %s', (path) => {
    expect(() => pathSegments(path)).toThrow(DomainError);
  });
});
