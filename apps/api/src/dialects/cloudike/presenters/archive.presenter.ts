import type { CreatedStream, StreamProgress } from '#libs/archives';

/** A private link to an archive. It needs no header: browsers follow it. */
export function presentArchiveLink(publicUrl: string, { privateHash, fileName, expiresAt }: CreatedStream) {
  return {
    url: `${publicUrl}/api/1/files/download_as_archive_stream/${privateHash}/`,
    hash: privateHash,
    file_name: fileName,
    expired: expiresAt.toISOString(),
  };
}

/** How far a stream is; times are ISO texts here, as the source has them. */
export function presentStreamProgress({ privateHash, progress, status, label, modifiedMs, createdMs }: StreamProgress) {
  return {
    private_hash: privateHash,
    progress: Math.round(progress * 10) / 10,
    status,
    label,
    modified: new Date(modifiedMs).toISOString(),
    created: new Date(createdMs).toISOString(),
  };
}
