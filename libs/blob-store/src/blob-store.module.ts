import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '#libs/config';
import { BlobStore } from './blob-store.js';
import { FilesystemBlobStore } from './filesystem-blob-store.js';
import { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.js';
import { SignedUrls } from './signed-urls.js';

/** Which driver, and what it needs. */
export type BlobStoreSettings =
  { readonly driver: 'filesystem'; readonly root: string } | ({ readonly driver: 's3' } & Omit<S3BlobStoreOptions, 'signedUrls'>);

/** The driver that the settings name. For scripts that run without the injector; everything else injects `BlobStore`. */
export function createBlobStore(settings: BlobStoreSettings, signedUrls: SignedUrls): BlobStore {
  return settings.driver === 'filesystem'
    ? new FilesystemBlobStore({ root: settings.root, signedUrls })
    : new S3BlobStore({ ...settings, signedUrls });
}

/** `BlobStore` and `SignedUrls` of this process, as the configuration says. */
@Module({
  providers: [
    {
      provide: SignedUrls,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => new SignedUrls({ publicUrl: config.http.publicUrl, secretKey: config.secretKey }),
    },
    {
      provide: BlobStore,
      inject: [AppConfig, SignedUrls],
      useFactory: (config: AppConfig, signedUrls: SignedUrls) => createBlobStore(config.storage, signedUrls),
    },
  ],
  exports: [BlobStore, SignedUrls],
})
export class BlobStoreModule implements OnApplicationShutdown {
  constructor(private readonly store: BlobStore) {}

  onApplicationShutdown(): Promise<void> {
    return this.store.close();
  }
}
