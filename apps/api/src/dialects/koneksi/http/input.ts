import { isUtf8 } from 'node:buffer';

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { DomainError, isDomainError, isUuid } from '#libs/kernel';
import { fittingName } from '#libs/nodes';

import type { DialectRequest } from '../../../http/dialect/dialect.js';
import { readJsonObject } from '../../../http/json-body.js';

const BODY_BYTES = 1024 * 1024;

export type Body = Readonly<Record<string, unknown>>;

/** The body as a JSON object. INVALID_ARGUMENT. */
export const JsonRequest = createParamDecorator(async (_: unknown, context: ExecutionContext): Promise<Body> => {
  try {
    return await readJsonObject(context.switchToHttp().getRequest<DialectRequest>(), BODY_BYTES);
  } catch (error) {
    throw isDomainError(error, 'INVALID_ARGUMENT') ? invalid('invalid request body') : error;
  }
});

/** The parameters behind the question mark. */
export const Query = createParamDecorator((_: unknown, context: ExecutionContext): URLSearchParams => {
  const { url } = context.switchToHttp().getRequest<DialectRequest>();
  const question = url.indexOf('?');
  return new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
});

/** The value of a header; undefined when it is absent or empty. */
export const Header = createParamDecorator((name: string, context: ExecutionContext): string | undefined => {
  const value = context.switchToHttp().getRequest<DialectRequest>().headers[name]?.toString();
  return value === undefined || value === '' ? undefined : headerText(value);
});

/** A header as it was meant: clients send the bytes of UTF-8, as they do in forms, and Node shows each byte as one character. */
export function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}

/** A directory by its id; null for `root`, and for none. */
export function directoryId(text: string | null | undefined): string | null {
  if (text === undefined || text === null || text === '' || text === 'root') return null;
  return idIn(text, 'directory');
}

export function fileId(text: string): string {
  return idIn(text, 'file');
}

/** `true` or `false`, also as 1 or 0. */
export function flag(query: URLSearchParams, name: string, absent: boolean): boolean {
  const text = query.get(name)?.toLowerCase();
  if (text === undefined || text === '') return absent;
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw invalid(`${name} must be a boolean`);
}

/** A member that is a text; undefined when it is absent, null or empty. */
export function optionalText(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid('invalid request body');
  return value;
}

export function requiredText(body: Body, name: string): string {
  const value = optionalText(body, name);
  if (value === undefined) throw invalid('invalid request body');
  return value;
}

/** A member that is a list of texts with at least one in it. */
export function textList(body: Body, name: string): string[] {
  const value = body[name];
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) throw invalid(`${name} is required`);
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string')) throw invalid('invalid request body');
  return value;
}

/** A name as it is kept: one that is too long is cut without a word, but for the meta of the answer. */
export function fitted(name: string, kind: 'folder' | 'file'): { readonly name: string; readonly isTrimmed: boolean } {
  const fitting = fittingName(name, kind);
  return { name: fitting, isTrimmed: fitting !== name };
}

export function invalid(message: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', message);
}

function idIn(text: string, what: 'directory' | 'file'): string {
  const id = text.toLowerCase();
  if (!isUuid(id)) throw invalid(`invalid ${what} ID format`);
  return id;
}
