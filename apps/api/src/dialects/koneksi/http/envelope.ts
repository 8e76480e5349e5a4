import type { Schema } from '../../../http/dialect/dialect.js';

/** The body of an answer that succeeded (contract 1.2). */
export function envelope<D>(message: string, data: D | null = null, meta: Readonly<Record<string, unknown>> | null = null) {
  return { status: 'success', message, data, meta };
}

/** Tells that a name was cut; null when it was not. */
export function trimmedMeta(isTrimmed: boolean): { is_trimmed: true } | null {
  return isTrimmed ? { is_trimmed: true } : null;
}

/** Schema of an answer whose data are `data`; absent: none. */
export function answerOf(data?: Schema): Schema {
  return {
    type: 'object',
    properties: {
      status: { type: 'string', enum: ['success'] },
      message: { type: 'string', nullable: true },
      data: data ?? { type: 'object', nullable: true },
      meta: { type: 'object', nullable: true },
    },
  };
}
