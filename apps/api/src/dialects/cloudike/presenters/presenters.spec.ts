import { describe, expect, it } from 'vitest';

import { DomainError } from '#libs/kernel';
import type { Extradata } from '#libs/node-facts';
import type { LocatedNode } from '#libs/nodes';
import type { TaskView } from '#libs/tasks';

import { etagHeader, knownHash } from './etag.js';
import { humanSize, iconOf } from './icon.js';
import { peopleIn, presentNode, presentTrashItem, type Surroundings } from './node.presenter.js';
import { presentOutcomes, theOnly } from './outcome.presenter.js';
import { finishedTask } from './task.presenter.js';

const file: LocatedNode = {
  id: '0193-file',
  spaceId: '0193-space',
  ownerId: 11,
  parentId: '0193-root',
  kind: 'file',
  name: 'some file.txt',
  versionNo: 2,
  sizeBytes: 126362,
  md5: '0123456789abcdef0123456789abcdef',
  mimeType: 'text/plain',
  clientCreatedMs: 1373663664000,
  clientModifiedMs: null,
  createdMs: 1373663664000,
  modifiedMs: 1373663665123,
  authorId: 12,
  revision: 3,
  childFiles: 0,
  childFolders: 0,
  childBytes: 0,
  removal: null,
  removedAtMs: null,
  trashName: null,
  restorePath: null,
  favorite: true,
  shared: false,
  linked: false,
  limitBytes: null,
  mount: null,
  path: '/files/some file.txt',
};
const folder: LocatedNode = {
  ...file,
  kind: 'folder',
  name: 'files',
  path: '/files',
  versionNo: 0,
  sizeBytes: 0,
  md5: null,
  mimeType: null,
  clientCreatedMs: null,
  childFiles: 4,
  childBytes: 126362,
  favorite: false,
};
const people = new Map([
  [11, { name: 'Dmitry', lang: 'ru' }],
  [12, { name: 'Anna', lang: 'en' }],
]);
const around: Surroundings = { viewerId: 11, people, facts: new Map() };

describe('presentNode', () => {
  it('says a file with every field of the contract', () => {
    expect(presentNode(file, around)).toEqual({
      path: '/files/some file.txt',
      owner_path: '/files/some file.txt',
      folder: false,
      size: '123.4KB',
      bytes: 126362,
      checksum: '0123456789abcdef0123456789abcdef',
      version: 2,
      mime_type: 'text/plain',
      icon: 'document_text',
      extradata: {},
      created: 1373663664000,
      modified: 1373663665123,
      client_data: { created: 1373663664000 },
      thumbnail: false,
      deleted: false,
      is_in_trash: false,
      is_favorite: true,
      shared: false,
      shared_hash: null,
      public_hash: '',
      public_link: false,
      company_published: false,
      parent_company_published: false,
      owner: 11,
      owner_name: 'Dmitry',
      author: 12,
      author_name: 'Anna',
      author_lang: 'en',
      role: 'owner',
    });
  });

  it('says a folder: the icon, no bytes, a hash, nothing that only files have', () => {
    const wire = presentNode(folder, around);
    expect(wire).toMatchObject({ folder: true, icon: 'folder', size: '0 bytes', bytes: 0, version: 0, client_data: {} });
    expect(wire).toHaveProperty('hash');
    for (const name of ['checksum', 'mime_type', 'extradata', 'code']) expect(wire).not.toHaveProperty(name);
  });

  it('leaves extradata out when it is not wanted, and never holds a top-level code', () => {
    expect(presentNode(file, around, { extra: false })).not.toHaveProperty('extradata');
    expect(presentNode(file, around)).not.toHaveProperty('code');
  });

  it('survives people who are not known any more', () => {
    expect(presentNode(file, { ...around, people: new Map() })).toMatchObject({ owner_name: '', author_name: '', author_lang: 'en' });
  });

  it('names the people it needs once', () => {
    expect(peopleIn([file, folder])).toEqual([11, 12]);
  });
});

describe('what stands beside the row', () => {
  const links = { small: 'http://h/s', middle: 'http://h/m', preview: 'http://h/p' };
  const facts = (extradata: Extradata | null): Surroundings => ({
    ...around,
    facts: new Map([[file.id, { publicHash: 'h'.repeat(22), sharedHash: 's'.repeat(22), companyPublished: true, extradata }]]),
  });

  it('is said of links and shares', () => {
    const wire = presentNode({ ...folder, shared: true }, facts(null));
    expect(wire).toMatchObject({
      shared: true,
      shared_hash: 's'.repeat(22),
      public_hash: 'h'.repeat(22),
      public_link: 'h'.repeat(22),
      company_published: true,
    });
  });

  it('names the role, and a mount', () => {
    expect(presentNode(file, { ...around, viewerId: 99 }).role).toBe('collaborator');
    expect(presentNode({ ...folder, mount: { id: 'm', spaceId: 's' } }, around)).toMatchObject({ fs_type: 'share' });
    expect(presentNode(folder, around)).not.toHaveProperty('fs_type');
  });

  it('has the pictures once they are there, and their state before', () => {
    const ready = presentNode(file, facts({ state: 'ready', thumbnails: links, pdf: 'http://h/pdf', metainfo: { width: 4 } }));
    expect(ready.thumbnail).toBe('http://h/s');
    expect(ready.extradata).toEqual({
      thumbnails: { status: 'ready', small: { link: 'http://h/s' }, middle: { link: 'http://h/m' }, preview: { link: 'http://h/p' } },
      pdf: { status: 'ready', link: 'http://h/pdf' },
      metainfo: { status: 'ready', width: 4 },
    });
    const waiting = presentNode(file, facts({ state: 'processing', thumbnails: null, pdf: null, metainfo: null }));
    expect(waiting).toMatchObject({ thumbnail: false, extradata: { thumbnails: { status: 'processing' } } });
    const onlyPdf = presentNode(file, facts({ state: 'ready', thumbnails: null, pdf: 'http://h/pdf', metainfo: null }));
    expect(onlyPdf.extradata).toEqual({ pdf: { status: 'ready', link: 'http://h/pdf' } });
  });
});

describe('presentTrashItem', () => {
  it('has the name in the trash and the place it came from instead of a path', () => {
    const wire = presentTrashItem({ ...file, removal: 'trashed', removedAtMs: 1, trashName: 'some file (1).txt', restorePath: file.path }, around);
    expect(wire).toMatchObject({ name: 'some file (1).txt', restore_path: '/files/some file.txt', deleted: true, is_in_trash: true });
    expect(wire).not.toHaveProperty('path');
  });
});

describe('outcomes of several paths', () => {
  const refused = { error: new DomainError('NODE_NOT_FOUND', 'Not there.') };

  it('are counted, and single errors are numbers', () => {
    expect(
      presentOutcomes(
        [
          ['files', 'some file.txt'],
          ['b', 'c'],
        ],
        [{ node: file }, refused],
        around,
      ),
    ).toEqual({
      success: 1,
      failed: 1,
      nodes: [
        { ...presentNode(file, around), error_code: null },
        { path: '/b/c', error_code: 404 },
      ],
    });
  });

  it('of a call for one path are its node, or its error', () => {
    expect(theOnly([{ node: file }])).toBe(file);
    expect(() => theOnly([refused])).toThrow(refused.error);
  });
});

describe('finishedTask', () => {
  const task = (state: TaskView['state'], more: Partial<TaskView> = {}): TaskView => ({
    publicId: 'p',
    kind: 'trash.clear',
    guest: null,
    state,
    progress: 41.7,
    result: null,
    error: null,
    createdMs: 0,
    finishedMs: null,
    ...more,
  });

  it('lets only the end through', () => {
    expect(finishedTask(task('succeeded')).state).toBe('succeeded');
    for (const state of ['waiting', 'running'] as const) {
      expect(() => finishedTask(task(state))).toThrow(expect.objectContaining({ code: 'TASK_RUNNING', details: { progress: 41 } }));
    }
    expect(() => finishedTask(task('failed', { error: { code: 'QUOTA_EXCEEDED', message: 'Full.' } }))).toThrow(
      expect.objectContaining({ code: 'TASK_FAILED', message: 'Full.', details: { reason: 'QuotaExceeded' } }),
    );
    expect(() => finishedTask(task('cancelled'))).toThrow(expect.objectContaining({ code: 'TASK_FAILED' }));
  });
});

describe('icons and sizes', () => {
  it.each([
    ['image/png', 'image'],
    ['video/mp4', 'video'],
    ['audio/mpeg', 'audio'],
    ['application/zip', 'archive'],
    ['application/gzip', 'archive'],
    ['text/plain', 'document_text'],
    ['application/json', 'document_text'],
    ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'document_office'],
    ['application/vnd.ms-excel', 'document_office'],
    ['application/vnd.oasis.opendocument.presentation', 'presentation_office'],
    ['application/vnd.ms-powerpoint', 'presentation_office'],
    ['application/pdf', 'ebook_adobe'],
    ['application/octet-stream', 'unknown'],
    ['', 'unknown'],
  ])('%s is drawn as %s', (mimeType, icon) => {
    expect(iconOf(mimeType)).toBe(icon);
  });

  it.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1024, '1.0KB'],
    [126362, '123.4KB'],
    [1024 * 1024 - 1, '1.0MB'],
    [5 * 1024 ** 3, '5.0GB'],
    [3 * 1024 ** 4, '3.0TB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(humanSize(bytes)).toBe(text);
  });
});

describe('hashes in headers', () => {
  it.each([
    ['abc', undefined, 'abc'],
    ['"abc"', undefined, 'abc'],
    [undefined, '"abc"', 'abc'],
    [undefined, 'W/"abc"', 'abc'],
    [undefined, 'abc', 'abc'],
    [undefined, '"abc", "def"', 'abc'],
    ['', '"abc"', 'abc'],
    [undefined, undefined, undefined],
    ['', '', undefined],
  ])('reads hash %j and If-None-Match %j', (parameter, header, expected) => {
    expect(knownHash(parameter, header)).toBe(expected);
  });

  it('writes a strong tag', () => {
    expect(etagHeader('abc')).toBe('"abc"');
  });
});
