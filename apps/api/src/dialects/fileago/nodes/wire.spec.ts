import { describe, expect, it } from 'vitest';

import { DomainError } from '#libs/kernel';

import { revisionOf } from '../bytes/revision.js';
import { keyHex, keyText } from '../http/key-form.js';
import { nodeActionOf } from './node-action.js';
import { aliasOf, placeTitle, spotOf } from './spot.js';

const UUID = '3d768c52-a685-4f15-a487-3b5fdaa333a4';

describe('NODEUUID', () => {
  it.each([
    [UUID, { id: UUID }],
    [UUID.toUpperCase(), { id: UUID }],
    ['home', { place: 'home', ownerId: null }],
    [`trash:${UUID}`, { place: 'trash', ownerId: UUID }],
    ['shared_with_you', { place: 'received', ownerId: null }],
    ['private_shares', { place: 'shared', ownerId: null }],
    ['public_shares', { place: 'published', ownerId: null }],
  ])('%s', (text, spot) => expect(spotOf(text)).toEqual(spot));

  it.each(['', 'Homes', 'home:', 'home:x', `home:${UUID}:${UUID}`, 'constructor', '__proto__', 'received', `${UUID}x`])('refuses "%s"', (text) => {
    expect(() => spotOf(text)).toThrow(DomainError);
  });

  it('is written back', () => {
    expect(aliasOf({ place: 'received', ownerId: null })).toBe('shared_with_you');
    expect(aliasOf({ place: 'home', ownerId: UUID })).toBe(`home:${UUID}`);
    expect(placeTitle({ place: 'home', ownerId: UUID })).toBe('Home');
  });
});

describe('the body of a node action', () => {
  it('has exactly one member', () => {
    expect(nodeActionOf({ move_to: 'home' })).toEqual({ kind: 'move_to', target: { place: 'home', ownerId: null } });
    expect(nodeActionOf({ starred: false })).toEqual({ kind: 'starred', value: false });
    for (const body of [{}, { a: 1 }, { starred: 1 }, { new_dir: 'a', starred: true }, { toString: 'x' }]) {
      expect(() => nodeActionOf(body), JSON.stringify(body)).toThrow(DomainError);
    }
  });
});

describe('keys and revisions', () => {
  it('are two UUIDs with a dash', () => {
    const hex = '0123456789abcdef'.repeat(4);
    expect(keyText(hex)).toBe('01234567-89ab-cdef-0123-456789abcdef-01234567-89ab-cdef-0123-456789abcdef');
    expect(keyHex(keyText(hex))).toBe(hex);
    expect(keyHex(`${keyText(hex)}x`)).toBe('');
    expect(keyHex(hex)).toBe('');
  });

  it.each([
    ['latest', undefined],
    ['oldest', 'oldest'],
    ['7', 7],
    ['1538224353000', { atMs: 1538224353000 }],
    ['999999999999999', undefined],
    ['9'.repeat(40), undefined],
  ])('%s', (text, revision) => expect(revisionOf(text)).toEqual(revision));

  it.each(['', '-1', '1.5', 'newest', '9'.repeat(41)])('refuses "%s"', (text) => expect(() => revisionOf(text)).toThrow(DomainError));
});
