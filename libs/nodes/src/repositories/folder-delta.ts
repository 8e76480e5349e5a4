/** Change of what a folder holds directly. */
export interface FolderDelta {
  readonly folderId: string;
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
}

/** What one node adds to the counters of its folder, times `sign`. */
export function folderDelta(folderId: string, node: { readonly kind: 'folder' | 'file'; readonly sizeBytes: number }, sign: 1 | -1): FolderDelta {
  return node.kind === 'file' ? { folderId, files: sign, folders: 0, bytes: sign * node.sizeBytes } : { folderId, files: 0, folders: sign, bytes: 0 };
}
