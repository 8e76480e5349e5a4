import { Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { isUuid } from '#libs/kernel';

import type { ArchiveRoot } from './archive-selection.js';
import { isCompressible } from './compressible.js';
import { ArchiveTreeRepository, type TreeRow } from './repositories/archive-tree.repository.js';
import { ArchiveNames } from './zip/safe-names.js';
import type { OpenContent } from './zip/zip-content.js';
import { BUFFERED_BYTES, type ZipEntry } from './zip/zip-entry-log.js';

/** Reads of small files that are under way at once: a disk answers soon, an object store over the network late. */
const READ_AHEAD = { filesystem: 8, s3: 32 } as const;
const PACKABLE_KEY = /^blobs\/([0-9a-f]{2})\/(\1[0-9a-f]{6})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/** Whatever gathers entries: a layout to be streamed or a log to be deflated. */
export interface EntrySink {
  add(entry: ZipEntry): unknown;
}

/** What is in an archive: the entries of chosen subtrees, and their bytes. It asks for no permission. */
@Injectable()
export class ArchiveContents {
  readonly readAhead: number;

  constructor(
    private readonly trees: ArchiveTreeRepository,
    private readonly store: BlobStore,
    config: AppConfig,
  ) {
    this.readAhead = READ_AHEAD[config.storage.driver];
  }

  /** Adds the entries in an order that is always the same, with those behind mounts of the folders `mountedIds`. Returns the number of files and their size. */
  async collect(
    roots: readonly ArchiveRoot[],
    mountedIds: readonly string[],
    windows: boolean,
    sink: EntrySink,
  ): Promise<{ files: number; bytes: number }> {
    const writer = new EntryWriter(roots, windows, sink);
    await this.trees.walk(
      roots.map((root) => root.id),
      mountedIds,
      (row) => writer.take(row),
    );
    return { files: writer.files, bytes: writer.bytes };
  }

  /** Opens the object behind an entry. Every error is a DomainError of the store. */
  readonly open: OpenContent = (entry, startOffset) => {
    const key = unpackKey(entry.contentRef ?? '');
    return startOffset === 0 && entry.sizeBytes <= BUFFERED_BYTES ? this.store.getWhole(key) : this.store.getRange(key, { start: startOffset });
  };
}

/** Turns rows of the walk into entries. Remembers only the folders on the way to the current one. */
class EntryWriter {
  files = 0;
  bytes = 0;
  private readonly names: ArchiveNames;
  /** Path in the archive of the open folder of each depth; '' is the top. */
  private readonly open: string[] = [];
  /** Folders above the chosen nodes, which several of them may share. */
  private readonly shared = new Map<string, string>();

  constructor(
    private readonly roots: readonly ArchiveRoot[],
    windows: boolean,
    private readonly sink: EntrySink,
  ) {
    this.names = new ArchiveNames({ windows });
  }

  take(row: TreeRow): void {
    const root = this.roots[row.root - 1]!;
    if (row.depth === 0 && root.bare) {
      this.open[0] = '';
      return;
    }
    const parent = row.depth === 0 ? this.sharedFolder(root.folders) : this.open[row.depth - 1]!;
    const name = row.depth === 0 ? (root.name ?? row.name) : row.name;
    const path = this.names.place(parent, name, row.kind);
    if (row.kind === 'folder') {
      this.open[row.depth] = path;
      this.sink.add({ path, kind: 'folder', sizeBytes: 0, modifiedMs: row.modifiedMs, crc32: null, contentRef: null });
      return;
    }
    const sizeBytes = row.sizeBytes ?? 0;
    this.files += 1;
    this.bytes += sizeBytes;
    this.sink.add({
      path,
      kind: 'file',
      sizeBytes,
      modifiedMs: row.modifiedMs,
      crc32: row.crc32,
      contentRef: packKey(row.storeKey ?? ''),
      deflate: isCompressible(row.mimeType),
    });
  }

  private sharedFolder(folders: readonly string[]): string {
    let path = '';
    let key = '';
    for (const name of folders) {
      key += `/${name}`;
      const known = this.shared.get(key);
      path = known ?? this.names.place(path, name, 'folder');
      if (known === undefined) this.shared.set(key, path);
    }
    return path;
  }
}

/** Object keys are 16 random bytes behind a constant beginning; written as a UUID they take 16 bytes of the entry log instead of 43. */
function packKey(key: string): string {
  return key.replace(PACKABLE_KEY, '$2-$3-$4-$5-$6');
}

function unpackKey(reference: string): string {
  if (!isUuid(reference)) return reference;
  const hex = reference.replaceAll('-', '');
  return `blobs/${hex.slice(0, 2)}/${hex}`;
}
