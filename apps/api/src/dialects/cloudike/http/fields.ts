import 'reflect-metadata';

import type { Type } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { validateSync, type ValidationError } from 'class-validator';

import { DomainError } from '#libs/kernel';

import type { ParamBag } from './param-bag.js';

export interface FieldOptions {
  /** Refuse the call when the parameter is missing or empty. */
  readonly required?: boolean;
  /** Further names that clients use; the property's own snake_case or given name comes first. */
  readonly aliases?: readonly string[];
  /** Name on the wire when it is not the property in snake_case. */
  readonly name?: string;
  readonly description?: string;
}

interface Field {
  readonly property: string;
  readonly names: readonly string[];
  readonly required: boolean;
  /** undefined = not given. Throws Error with the rest of the sentence "name must ...". */
  readonly read: (values: readonly unknown[], isArray: boolean) => unknown;
}

const FIELDS = Symbol('cloudike:fields');

function field(options: FieldOptions, schema: ApiPropertyOptions, read: Field['read']): PropertyDecorator {
  return (target, key) => {
    const property = String(key);
    const name = options.name ?? property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const known = (Reflect.getOwnMetadata(FIELDS, target) as Field[] | undefined) ?? inherited(target);
    known.push({ property, names: [name, ...(options.aliases ?? [])], required: options.required ?? false, read });
    Reflect.defineMetadata(FIELDS, known, target);
    ApiProperty({
      ...schema,
      name,
      required: options.required ?? false,
      ...(options.description ? { description: options.description } : {}),
    } as ApiPropertyOptions)(target, key);
  };
}

function inherited(target: object): Field[] {
  return [...((Reflect.getMetadata(FIELDS, target) as Field[] | undefined) ?? [])];
}

function scalar(values: readonly unknown[]): string | undefined {
  const value = values.at(-1);
  if (value === undefined) return undefined;
  return textOf(value);
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') throw new Error('must be a single value');
  const text = String(value);
  if (text.includes('\0')) throw new Error('must not hold a NUL character');
  return text;
}

/** A text, kept exactly as sent. `maxBytes` counts UTF-8; an empty text of an optional field stays an empty text. */
export function Text(options: FieldOptions & { readonly maxBytes?: number } = {}): PropertyDecorator {
  const maxBytes = options.maxBytes ?? 65_536;
  return field(options, { type: String }, (values) => {
    const text = scalar(values);
    if (text !== undefined && Buffer.byteLength(text) > maxBytes) throw new Error(`must not be longer than ${maxBytes} bytes`);
    if (options.required && text === '') throw new Error('must not be empty');
    return text;
  });
}

function integer(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const value = Number(text);
  if (!/^\s*[+-]?\d{1,17}(\.0+)?\s*$/.test(text) || !Number.isSafeInteger(value)) throw new Error('must be a whole number');
  if (value < min || value > max) throw new Error(`must be from ${min} to ${max}`);
  return value;
}

/** A whole number; an empty value is "not given". */
export function Int(options: FieldOptions & { readonly min?: number; readonly max?: number } = {}): PropertyDecorator {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return field(options, { type: 'integer', minimum: min }, (values) => integer(scalar(values), min, max));
}

/** Largest distance from the epoch that a date can have, in milliseconds. */
const MAX_DATE_MS = 8.64e15;

/** Milliseconds since the epoch, exact; dates before 1970 are negative. An empty value is "not given". */
export function Ms(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: 'integer', format: 'int64', description: 'Milliseconds since the epoch.' }, (values) =>
    integer(scalar(values), -MAX_DATE_MS, MAX_DATE_MS),
  );
}

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off', '']);

/** `true`/`True`/`1` or `false`/`False`/`0`/empty. */
export function Bool(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: Boolean }, (values) => {
    const text = scalar(values)?.trim().toLowerCase();
    if (text === undefined) return undefined;
    if (TRUE.has(text)) return true;
    if (FALSE.has(text)) return false;
    throw new Error('must be true or false');
  });
}

function atLeastOne<T>(values: T[], required: boolean | undefined): T[] {
  if (required && values.length === 0) throw new Error('must not be empty');
  return values;
}

/** A list of texts: repeated, `name[]`, `name[0]` or a JSON array; one value is a list of one. */
export function List(options: FieldOptions & { readonly maxItems?: number } = {}): PropertyDecorator {
  return field(options, { type: [String] }, (values) => {
    const { maxItems = 50_000 } = options;
    if (values.length > maxItems) throw new Error(`must not have more than ${maxItems} items`);
    return atLeastOne(values.map(textOf), options.required);
  });
}

/** A list of ids: as `@List`, and also `1,2,3` or a JSON array written in a text. */
export function IdList(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: [Number] }, (values) => {
    const texts = values.map(textOf).flatMap((text) => text.replace(/^\s*\[|\]\s*$/g, '').split(','));
    const ids = texts.map((text) => integer(text.replaceAll('"', ''), 0, Number.MAX_SAFE_INTEGER)).filter((id) => id !== undefined);
    return atLeastOne(ids, options.required);
  });
}

/** Segments of a path parameter: `/a/b`, `a/b` and `/a//b/` are the same; `/` and an empty text are the root, []. */
export function Path(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: String, example: '/folder/file.txt' }, (values) => {
    const text = scalar(values);
    if (options.required && text === '') throw new Error('must not be empty');
    return text === undefined ? undefined : segmentsOf(text);
  });
}

/** Most segments that the paths of one call may have together: what is looked up grows with them, not with the number of paths. */
const MAX_SEGMENTS = 200_000;

/** A list of paths, each as `@Path`. */
export function PathList(options: FieldOptions & { readonly maxItems?: number } = {}): PropertyDecorator {
  return field(options, { type: [String] }, (values) => {
    const { maxItems = 50_000 } = options;
    if (values.length > maxItems) throw new Error(`must not have more than ${maxItems} items`);
    const paths = values.map((value) => segmentsOf(textOf(value)));
    const segments = paths.reduce((sum, path) => sum + path.length, 0);
    if (segments > MAX_SEGMENTS) throw new Error(`must not have more than ${MAX_SEGMENTS} names in all its paths`);
    return atLeastOne(paths, options.required);
  });
}

/** An MD5 as 32 hex characters, answered in lower case; an empty value is "not given". */
export function Md5(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: String, example: 'd41d8cd98f00b204e9800998ecf8427e' }, (values) => {
    const text = scalar(values)?.trim();
    if (text === undefined || text === '') return undefined;
    if (!/^[0-9a-f]{32}$/i.test(text)) throw new Error('must be an MD5 as 32 hex characters');
    return text.toLowerCase();
  });
}

/** Any JSON value: as part of a JSON body, or written as a text; a text that is no JSON stays a text. */
export function Json(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: Object }, (values, isArray) => {
    if (isArray || values.length > 1) return values;
    const value = values[0];
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      return value;
    }
  });
}

/** Any value, kept exactly as sent: a text of a form stays a text, a part of a JSON body stays JSON. */
export function Value(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: Object }, (values, isArray) => (values.length === 1 && !isArray ? values[0] : values));
}

/** Segments of a path written as text; repeated slashes and a trailing one do not count. */
function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/**
 * An instance of `dto` filled from the parameters: fields by the decorators of this file, then the rules of class-validator that the class has.
 * Unknown parameters are ignored. Throws INVALID_ARGUMENT that names the parameter.
 */
export function bind<T extends object>(dto: Type<T>, bag: ParamBag): T {
  const instance = new dto();
  const fields = (Reflect.getMetadata(FIELDS, dto.prototype as object) as Field[] | undefined) ?? [];
  for (const { property, names, required, read } of fields) {
    const value = readField(bag, names, read);
    if (value === undefined && required) throw new DomainError('INVALID_ARGUMENT', `The parameter "${names[0]}" is required.`);
    if (value !== undefined) (instance as Record<string, unknown>)[property] = value;
  }
  const [problem] = validateSync(instance, { stopAtFirstError: true, forbidUnknownValues: false });
  if (problem) throw new DomainError('INVALID_ARGUMENT', textOfProblem(problem));
  return instance;
}

function readField(bag: ParamBag, names: readonly string[], read: Field['read']): unknown {
  for (const name of names) {
    const values = bag.get(name);
    if (!values) continue;
    try {
      return read(values, bag.isArray(name));
    } catch (error) {
      throw new DomainError('INVALID_ARGUMENT', `The parameter "${name}" ${(error as Error).message}.`, {}, { cause: error });
    }
  }
  return undefined;
}

function textOfProblem(problem: ValidationError): string {
  return Object.values(problem.constraints ?? {})[0] ?? `The parameter "${problem.property}" is not valid.`;
}
