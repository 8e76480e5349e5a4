import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { DomainError } from '#libs/kernel';

import type { DialectRequest } from '../../../http/dialect/dialect.js';
import { readJsonObject } from '../../../http/json-body.js';

export type Fields = Readonly<Record<string, unknown>>;

const BODY_BYTES = 256 * 1024;
const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<DialectRequest>();

/** The body as a JSON object. INVALID_ARGUMENT under any other content type than application/json, which the document asks for. */
export const JsonFields = createParamDecorator((_: unknown, context: ExecutionContext): Promise<Fields> => {
  const request = requestOf(context);
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json') throw new DomainError('INVALID_ARGUMENT', 'The header Content-Type must be application/json.');
  return readJsonObject(request, BODY_BYTES);
});

/** The query, each name once. */
export const QueryFields = createParamDecorator((_: unknown, context: ExecutionContext): Fields => {
  const search = new URL(requestOf(context).url, 'http://localhost').searchParams;
  const fields: Record<string, string> = {};
  for (const [name, value] of search) {
    if (name in fields) throw invalid(name, 'must be given once');
    fields[name] = value;
  }
  return fields;
});

/** A text; undefined when it is absent. */
export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw invalid(name, 'must be a text');
  return value;
}

/** A text that must be there; it may be empty only when that is said. */
export function requiredText(fields: Fields, name: string, { empty = false } = {}): string {
  const value = textOf(fields, name);
  if (value === undefined || (value === '' && !empty)) throw invalid(name, 'is required');
  return value;
}

/** A list of texts; undefined when it is absent. */
export function textsOf(fields: Fields, name: string): string[] | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw invalid(name, 'must be a list of texts');
  return value;
}

/** A whole number from `min` to `max`, also when it is written as a text. */
export function wholeNumber(
  fields: Fields,
  name: string,
  { otherwise, min, max }: { readonly otherwise: number; readonly min: number; readonly max: number },
): number {
  const value = fields[name];
  if (value === undefined) return otherwise;
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number) || number < min || number > max) throw invalid(name, `must be a whole number from ${min} to ${max}`);
  return number;
}

/** `PUBLIC` or `PRIVATE`, as true or false; undefined when it is absent. */
export function visibilityOf(fields: Fields): boolean | undefined {
  const value = textOf(fields, 'visibility');
  if (value === undefined) return undefined;
  if (value !== 'PUBLIC' && value !== 'PRIVATE') throw invalid('visibility', 'must be PUBLIC or PRIVATE');
  return value === 'PUBLIC';
}

export function invalid(name: string, why: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', `"${name}" ${why}.`);
}
