export const MEDIA = ['image', 'audio', 'video', 'other'] as const;

/** What kind of content a file holds, for the storage statistics. */
export type Media = (typeof MEDIA)[number];

/** Bytes by kind of content; negative values free space. */
export interface MediaBytes {
  readonly image: number;
  readonly audio: number;
  readonly video: number;
  readonly other: number;
}

export const NO_BYTES: MediaBytes = { image: 0, audio: 0, video: 0, other: 0 };

/** `bytes` of one kind. */
export function bytesOf(media: Media, bytes: number): MediaBytes {
  return { ...NO_BYTES, [media]: bytes };
}

/** Sum over all kinds, in bytes. */
export function totalBytes({ image, audio, video, other }: MediaBytes): number {
  return image + audio + video + other;
}

/** The same amounts with the sign turned: what was used becomes what is freed. */
export function negated({ image, audio, video, other }: MediaBytes): MediaBytes {
  // 0 - x instead of -x, because -0 is no number a ledger should see.
  return { image: 0 - image, audio: 0 - audio, video: 0 - video, other: 0 - other };
}
