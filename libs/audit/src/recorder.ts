import { Injectable } from '@nestjs/common';

import { type AccountActor, Call, type Caller, Clock, type Holder, isDomainError, newId } from '#libs/kernel';
import { Logger, Metrics } from '#libs/observability';

import { type AuditOutcome, AuditSignatures } from './record.js';
import { AuditRepository } from './repositories/audit.repository.js';

/** What is known of a call from outside. Functions are asked when the record is made. */
export interface CallFacts {
  readonly action: string;
  readonly dialect: string;
  readonly client: string;
  readonly address: string;
  readonly requestId: string;
  readonly actor: () => AccountActor | null;
  readonly params: () => AuditParams;
}

/** Parameters that a record keeps: ids, names, places, flags; `logins` are kept as hashes only. */
export interface AuditParams {
  readonly kept: Readonly<Record<string, unknown>>;
  readonly logins: readonly string[];
}

const MAX_TEXT = 300;
const MAX_PARAMS_LENGTH = 8_000;
/** Refusals in which nothing was proven or disproven. */
const NO_PROOF: ReadonlySet<string> = new Set([
  'INVALID_ARGUMENT',
  'TOO_LARGE',
  'RATE_LIMITED',
  'BUSY',
  'STORAGE_UNAVAILABLE',
  'INTERNAL',
  'ROUTE_NOT_FOUND',
]);
/** Refused sign-ins that one process records in a minute. */
const REFUSALS_OF_ADDRESS = 60;
const REFUSALS_OF_ALL = 3_000;

/** Records calls; libs/database puts the record into the transaction of the change. */
@Injectable()
export class AuditRecorder {
  private minute = 0;
  private refusalsOfAll = 0;
  private readonly refusals = new Map<string, number>();

  constructor(
    private readonly signatures: AuditSignatures,
    private readonly records: AuditRepository,
    private readonly metrics: Metrics,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs a call that may change something: its first change takes the record along, in the same transaction. A granted call that changed nothing is recorded
   * when it ends, a refused one not at all, unless it was to prove who somebody is (`signsIn`).
   */
  async run<T>(facts: CallFacts, { signsIn = false }: { readonly signsIn?: boolean | undefined }, work: () => Promise<T>): Promise<T> {
    const call = new Call((made) => this.compose(facts, made, 'changed', null));
    try {
      const result = await Call.run(call, work);
      await this.close(facts, call);
      this.metrics.auditedCall(facts.action, 'granted');
      return result;
    } catch (error) {
      const code = isDomainError(error) ? error.code : 'INTERNAL';
      if (call.isRecorded) {
        this.metrics.auditedCall(facts.action, 'undone');
        this.logger.warn('a call was refused after it had changed something', { action: facts.action, code });
      } else if (signsIn) await this.refused(facts, code, call);
      throw error;
    } finally {
      call.end();
    }
  }

  /** Records a refused proof of who somebody is; other refusals, and more than a minute's share of one address, are passed over. */
  async refused(facts: CallFacts, code: string, call?: Call): Promise<void> {
    if (NO_PROOF.has(code)) return;
    if (!this.mayRefuse(facts.address)) {
      this.metrics.auditedCall(facts.action, 'passed over');
      return;
    }
    try {
      await this.records.write(this.compose(facts, call ?? new Call(() => ''), 'refused', code));
      this.metrics.auditedCall(facts.action, 'refused');
    } catch (error) {
      // the answer is the refusal all the same
      this.logger.error('a refused sign-in could not be recorded', { error, action: facts.action });
    }
  }

  /** The call was granted: without a change of its own its record stands alone. */
  private async close(facts: CallFacts, call: Call): Promise<void> {
    if (call.isRecorded) return;
    if (call.wroteUnrecorded) this.logger.warn('a change was committed beside the transaction that had the record', { action: facts.action });
    await this.records.write(this.compose(facts, call, call.wroteUnrecorded ? 'changed' : 'unchanged', null));
  }

  /** Nobody fills the disk with wrong passwords: what the limiter lets by is recorded up to a share of each address and of all. */
  private mayRefuse(address: string): boolean {
    const minute = Math.floor(this.clock.nowMs() / 60_000);
    if (minute !== this.minute) {
      this.minute = minute;
      this.refusals.clear();
      this.refusalsOfAll = 0;
    }
    const count = this.refusals.get(address) ?? 0;
    if (count >= REFUSALS_OF_ADDRESS || this.refusalsOfAll >= REFUSALS_OF_ALL) return false;
    this.refusals.set(address, count + 1);
    this.refusalsOfAll += 1;
    return true;
  }

  private compose(facts: CallFacts, call: Call, outcome: AuditOutcome, error: string | null): string {
    const nowMs = this.clock.nowMs();
    const { subjects, identified } = call;
    const { kept, logins } = facts.params();
    const who = facts.actor() ?? identified;
    const account = who !== null && 'accountId' in who ? who : null;
    const content = {
      id: newId(nowMs),
      atMs: nowMs,
      action: facts.action,
      outcome,
      error,
      dialect: facts.dialect,
      actorId: account?.accountId ?? null,
      impersonatorId: account?.impersonatorId ?? null,
      companyId: who?.companyId ?? (subjects.company ? Number(subjects.company[0]) : null),
      credential: credentialOf(who),
      client: plain(facts.client),
      address: plain(facts.address),
      requestId: plain(facts.requestId),
      subjects: JSON.stringify(subjects),
      params: paramsText({ ...kept, ...(logins.length === 0 ? {} : { login_hash: logins.map((login) => this.signatures.ofName(login)) }) }),
    };
    const { id, action, dialect, credential, client, address } = content;
    // names of columns, as audit_write() reads them; subjects and params stay the texts that were signed
    const row = {
      ...{ id, at_ms: nowMs, action, outcome, error, dialect, actor_id: content.actorId, impersonator_id: content.impersonatorId },
      ...{
        company_id: content.companyId,
        credential,
        client,
        address,
        request_id: content.requestId,
        mac: this.signatures.ofRecord(content).toString('hex'),
      },
    };
    return `${JSON.stringify(row).slice(0, -1)},"subjects":${content.subjects},"params":${content.params}}`;
  }
}

function credentialOf(who: Caller | Holder | null): string | null {
  if (who === null) return null;
  if (!('accountId' in who)) return `${who.pass}:${who.passId}`;
  // a key for a program is a token too, and says which one it is
  if (who.byPair && !who.tokenId) return 'pair';
  return who.tokenId === undefined ? null : who.tokenId === null ? 'basic' : `token:${who.tokenId}`;
}

/** PostgreSQL keeps no NUL, and half a surrogate pair is no text. */
function plain(text: string): string {
  return text
    .slice(0, MAX_TEXT)
    .replaceAll('\0', '')
    .replace(/[\ud800-\udfff]/gu, '\ufffd');
}

function paramsText(params: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(params, (_key, value: unknown) => (typeof value === 'string' ? plain(value) : value));
  return text.length <= MAX_PARAMS_LENGTH ? text : JSON.stringify({ cut: true, names: Object.keys(params) });
}
