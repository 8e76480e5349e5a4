import type { Client } from '#libs/kernel';

/** What a download URL was given out for. Signed with the URL, so that it cannot be changed. */
export interface DownloadPass {
  /** Who asked for the URL, in the words of whoever made it. */
  readonly holder: string;
  /** The node whose bytes they are; absent: nothing but the holder himself is judged. */
  readonly nodeId?: string;
}

/** Says, at each use of a download URL, whether who asked for it may still have the bytes. DI token. */
export abstract class DownloadGate {
  /** UNAUTHENTICATED when the holder's token has ended; NODE_NOT_FOUND, FORBIDDEN when his right has. */
  abstract judge(pass: DownloadPass, client: Client): Promise<void>;
}
