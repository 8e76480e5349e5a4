import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';
import { Limiter } from '#libs/limiter';

import { linkNotFound } from './link.js';
import { isLinkHash } from './link.service.js';
import {
  type Complaint,
  type ComplaintForm,
  type ComplaintPage,
  ComplaintRepository,
  type ComplaintStatus,
} from './repositories/complaint.repository.js';

const COMPLAINTS_PER_WINDOW = 30;
const WINDOW_MS = 3_600_000;
const MAX_URLS = 100;
const MAX_PAGE = 2_000;

/** Complaints about what links give out. */
@Injectable()
export class ComplaintService {
  constructor(
    private readonly complaints: ComplaintRepository,
    private readonly limiter: Limiter,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Takes a complaint of anybody. LINK_NOT_FOUND when one of its URLs is no link of this house, INVALID_ARGUMENT, RATE_LIMITED (30 an hour from one address). */
  async make(form: ComplaintForm, ip: string): Promise<Complaint> {
    if (form.urls.length === 0 || form.urls.length > MAX_URLS) throw new DomainError('INVALID_ARGUMENT', `A complaint names 1 to ${MAX_URLS} links.`);
    const slot = await this.limiter.take(`complaint:${ip}`, COMPLAINTS_PER_WINDOW, WINDOW_MS);
    if (!slot.granted)
      throw new DomainError('RATE_LIMITED', 'Too many complaints from this address; try again later.', { retryAfterMs: slot.retryAfterMs });
    const hashes = new Set(form.urls.map(hashOf));
    const links = hashes.has(null) ? [] : await this.complaints.linksOf([...hashes] as string[]);
    if (links.length < hashes.size) throw linkNotFound();
    return this.unitOfWork.run(() => this.complaints.insert(form, links, this.clock.now()));
  }

  /** A page of complaints, for system administrators. FORBIDDEN. */
  async list(actor: AccountActor, page: ComplaintPage): Promise<{ complaints: Complaint[]; count: number; limit: number; offset: number }> {
    requireAdmin(actor);
    const limit = page.limit === 0 ? MAX_PAGE : Math.min(page.limit, MAX_PAGE);
    return { ...(await this.complaints.page({ ...page, limit })), limit, offset: page.offset };
  }

  /**
   * Judges a complaint, as a system administrator. Accepted: its links are blocked at once. Anything else lets those of them go that no other
   * accepted complaint names. FORBIDDEN, COMPLAINT_NOT_FOUND.
   */
  async judge(actor: AccountActor, id: number, status: ComplaintStatus): Promise<Complaint> {
    requireAdmin(actor);
    return this.unitOfWork.run(async () => {
      const complaint = await this.complaints.setStatus(id, status);
      if (!complaint) throw new DomainError('COMPLAINT_NOT_FOUND', 'There is no such complaint.');
      await this.complaints.settle(id, this.clock.now());
      return complaint;
    });
  }
}

/** The hash in a link's URL, or in what is a hash itself: the segment after `public`, else the last one. Null when there is none. */
export function hashOf(url: string): string | null {
  const segments = url
    .trim()
    .replace(/[?#].*$/su, '')
    .split('/')
    .filter((segment) => segment !== '');
  const page = segments.lastIndexOf('public');
  const hash = (page >= 0 ? segments[page + 1] : undefined) ?? segments.at(-1) ?? '';
  return isLinkHash(hash) ? hash : null;
}

function requireAdmin(actor: AccountActor): void {
  if (actor.role !== 'admin') throw new DomainError('FORBIDDEN', 'Only a system administrator judges complaints.');
}
