import { Injectable } from '@nestjs/common';
import type { RequestHandler } from 'express';

/** The middleware by which each dialect takes in its requests; a dialect adds its own when its module starts. */
@Injectable()
export class RequestEntries {
  private readonly entries: RequestHandler[] = [];

  add(entry: RequestHandler): void {
    this.entries.push(entry);
  }

  /** For entries that must see a request before those which take whatever begins like theirs. */
  addFirst(entry: RequestHandler): void {
    this.entries.unshift(entry);
  }

  all(): readonly RequestHandler[] {
    return this.entries;
  }
}
