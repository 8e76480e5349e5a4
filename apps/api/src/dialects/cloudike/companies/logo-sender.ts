import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';

import { CompanyLogo } from '#libs/companies';

/** Answers a call with the bytes of a logo. Its URL changes with it, so browsers and proxies may keep it for a year. */
@Injectable()
export class LogoSender {
  constructor(private readonly logos: CompanyLogo) {}

  /** As CompanyLogo.read. */
  async send(logoId: string, request: Request, response: Response): Promise<void> {
    const bytes = await this.logos.read(logoId);
    const etag = `"${logoId}"`;
    response.set({ ETag: etag, 'Cache-Control': 'public, max-age=31536000, immutable', 'Content-Security-Policy': "sandbox; default-src 'none'" });
    if (request.get('if-none-match')?.includes(etag)) {
      response.status(304).end();
      return;
    }
    response.set({ 'Content-Type': 'image/jpeg', 'Content-Length': String(bytes.length) });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }
}
